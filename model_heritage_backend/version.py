"""The version, which rooms below the package itself may know."""

from __future__ import annotations

__version__ = "0.1.0"
FINGERPRINT_VERSION = 4
"""Raised whenever the same weights give another fingerprint, or it is stored in another way."""
