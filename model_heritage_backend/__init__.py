"""Model Heritage: the genealogy of neural networks, recovered from their weights.

``scan(folder)``, ``compare(first, second)`` and ``load_heritage(file)`` are the Python interface;
see ``Heritage``. ``model_heritage_backend.client`` asks a running server.

>>> from model_heritage_backend import scan
>>> heritage = scan(models)  # a folder
>>> [(model.name, model.relation) for model in heritage.models]
[('base', None), ('half', 'cast'), ('tuned', 'adapter')]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_heritage_backend.scanning.heritage import Heritage, compare, load_heritage, scan

from model_heritage_backend.version import __version__

__all__ = ["Heritage", "__version__", "compare", "load_heritage", "scan"]


def __getattr__(name: str) -> Any:
    # Not before they are wanted: the command line's --help must not wait for the engine.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from model_heritage_backend.scanning import heritage

    return getattr(heritage, name)
