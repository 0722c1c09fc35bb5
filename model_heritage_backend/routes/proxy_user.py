"""The user as a trusted proxy names them in a header."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from model_heritage_backend.services.access import Role

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class ProxyUser:
    """``header`` is believed from ``networks`` alone; who is new becomes a user of ``role``."""

    header: str
    networks: Sequence[Network]
    role: Role

    def find_name(self) -> str | None:
        """The name in the present request; None when there is none that can be believed."""
        name = request.headers.get(self.header)
        return name if name and self._is_trusted(_get_peer()) else None

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


def _get_peer() -> str:
    """Who is at the other end of the connection, whatever X-Forwarded-For says."""
    before = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    return str(before.get("REMOTE_ADDR") or "")
