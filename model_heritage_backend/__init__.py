"""Model Heritage: the genealogy of neural networks, recovered from their weights.

``scan(folder)``, ``compare(first, second)`` and ``load_heritage(file)`` are the Python interface;
see ``Heritage``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_heritage_backend.scanning.heritage import Heritage, compare, load_heritage, scan

__version__ = "0.1.0"
__all__ = ["Heritage", "__version__", "compare", "load_heritage", "scan"]


def __getattr__(name: str) -> Any:
    # Not before they are wanted: the command line's --help must not wait for the engine.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from model_heritage_backend.scanning import heritage

    return getattr(heritage, name)
