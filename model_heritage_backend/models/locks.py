"""Advisory locks of PostgreSQL: names that one transaction at a time may hold."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text


def lock_in_transaction(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds ``name``, and hold it until this one ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": make_key(name)})


def make_key(name: str) -> int:
    """The 64-bit number that stands for a name in this database."""
    digest = hashlib.sha256(f"model-heritage {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
