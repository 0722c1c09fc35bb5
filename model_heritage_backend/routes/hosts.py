"""By which names the server may be asked.

A page of a foreign site can have its own name lead to 127.0.0.1 (DNS rebinding): the browser then
takes the server for part of that site, and neither CORS nor ``Origin`` keep the page out. What
gives it away is the name in ``Host``. An address as a name cannot be led elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, request

from model_heritage_backend.errors import HeritageError


class ForeignHost(HeritageError):
    """The server was asked by a name that is not its own."""

    type = "foreign-host"
    title = "The server does not go by this name"
    status = 403


def guard_hosts(app: Flask, *, allowed: Sequence[str], is_open: bool) -> None:
    """Refuse requests by other names; where each caller must say who they are, and no names are
    given, by none."""
    if not allowed and not is_open:
        return
    own = {name.casefold() for name in (allowed or _list_own_names())}

    @app.before_request
    def refuse_foreign_names() -> None:
        name = _find_name(request.host)
        if name is not None and (name in own or (not allowed and _is_local(name))):
            return
        raise ForeignHost(
            f"This server does not go by {request.host[:200]!r}. The setting allowed_hosts "
            "(MODEL_HERITAGE_ALLOWED_HOSTS) names those by which it does."
        )


def _find_name(host: str) -> str | None:
    """The name without its port; None when it is none."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name.rstrip(".").casefold() if name else None


def _is_local(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _list_own_names() -> list[str]:
    own = socket.gethostname()
    return [own, f"{own.split('.')[0]}.local"]
