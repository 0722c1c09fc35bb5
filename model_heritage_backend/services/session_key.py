"""The secret that signs sessions: made once for each data folder, and never a default."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from model_heritage_backend.errors import Conflict

NAME = "session.key"
BYTES = 32


def load_session_key(data_dir: Path) -> bytes:
    """The key of this folder, made when there is none; only its owner may read the file.

    It is not part of backups: whoever restores one signs in again.

    Raises
    ------
    Conflict
        When the file is not what was written.
    """
    path = data_dir / NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != BYTES:
            raise Conflict(
                f"The file {NAME} in the data folder is damaged; without it, a new one is made, "
                "and everyone signs in again."
            ) from None
        return key
    key = secrets.token_bytes(BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
