"""The version, which rooms below the package itself may know."""

from __future__ import annotations

__version__ = "0.1.0"
FINGERPRINT_VERSION = 4
"""Raised whenever fingerprints no longer compare with those of the same weights that were taken
before, or are stored in another way."""
