"""The version, which rooms below the package itself may know."""

from __future__ import annotations

__version__ = "0.1.0"
