"""The command ``serve``: the web server, started as ``python run_server.py`` starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from model_heritage_backend.config import PREFIX, PROJECT
from model_heritage_backend.errors import InvalidRequest

SERVER = "run_server.py"


def run_server(options: Mapping[str, str | None], *, project: Path = PROJECT) -> NoReturn:
    """Become the server; options (by setting name) win over the environment and config.yaml.

    This process is replaced, so signals and the exit code are the server's own.

    Raises
    ------
    InvalidRequest
        When the server's script is not beside the package, as in a bare installation of it.
    """
    script = project / SERVER
    if not script.is_file():
        raise InvalidRequest(
            f"{SERVER} is not in the folder of this installation: start the server from a checkout "
            "of the project."
        )
    chosen = {PREFIX + name.upper(): value for name, value in options.items() if value is not None}
    sys.stdout.flush()
    os.execve(  # noqa: S606 - our own interpreter and script, no shell
        sys.executable, [sys.executable, str(script)], {**os.environ, **chosen}
    )
