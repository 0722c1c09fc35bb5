"""Whom a connection really reaches.

A public server may redirect to an address within the user's own network, or have its name lead
there the next time it is looked up. Neither is asked: what counts is who is at the other end of
the connection, and that is looked at before anything is sent.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class LeadsInside(urllib3.exceptions.HTTPError):
    """A public server leads to an address that is not public."""

    reason = "it leads to an address within your own network"


def is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


class PeerGuard:
    """Once it has reached a public address, it reaches no others.

    Who asks for an address within their own network means it: the first one may be any.
    """

    def __init__(self) -> None:
        self._began_outside = False

    def check(self, connected: socket.socket) -> None:
        """Raises LeadsInside, and closes the connection."""
        public = is_public(connected.getpeername()[0])
        if self._began_outside and not public:
            connected.close()
            raise LeadsInside(LeadsInside.reason)
        self._began_outside = public

    def watch(self, manager: urllib3.PoolManager) -> None:
        """Look at all connections that ``manager`` makes from now on."""
        guard = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> Any:
                connected = super()._new_conn()
                guard.check(connected)
                return connected

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> Any:
                connected = super()._new_conn()
                guard.check(connected)
                return connected

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}
