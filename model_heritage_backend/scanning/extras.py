"""Libraries that only some people need."""

from __future__ import annotations

import importlib.util


def require(package: str, *, extra: str = "notebook") -> None:
    """Say how to get a package, where it is missing.

    Raises
    ------
    ImportError
        When it is not installed.

    Examples
    --------
    >>> require("imagination")
    Traceback (most recent call last):
        ...
    ImportError: This needs imagination: pip install 'model-heritage[notebook]'.
    """
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"This needs {package}: pip install 'model-heritage[{extra}]'.", name=package
        )
