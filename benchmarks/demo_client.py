"""The few requests that the demonstration makes to a running server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

Document = dict[str, Any]
TIMEOUT = 120.0


class ServerMissing(Exception):
    """Nobody answers at the address."""


class Refused(Exception):
    """The server answered with a problem; the message is its ``detail``."""

    def __init__(self, problem: Document) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "no reason given")
        self.problem = problem


@dataclass(frozen=True)
class Client:
    """A server by its address, such as http://127.0.0.1:5001."""

    url: str

    def check(self) -> None:
        """Raises ServerMissing when no Model Heritage server answers."""
        if self._send(Request(f"{self.url}/api/health")).get("status") != "ok":
            raise ServerMissing(f"What answers at {self.url} is not a healthy server.")

    def upload(self, path: Path, name: str) -> tuple[str, bool]:
        """Upload a file under a name; gives the model's id and whether it is new to the server."""
        query = urlencode({"name": name, "filename": f"{name}{path.suffix}"})
        with path.open("rb") as body:
            request = Request(
                f"{self.url}/api/models?{query}",
                data=body,
                method="PUT",
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(path.stat().st_size),
                },
            )
            try:
                return str(self._send(request)["model_id"]), True
            except Refused as refusal:
                if "existing_id" not in refusal.problem:
                    raise
                return str(refusal.problem["existing_id"]), False

    def get_model(self, model_id: str) -> Document:
        return self._send(Request(f"{self.url}/api/models/{quote(model_id)}"))

    def get_tree(self, family_id: str) -> Document:
        return self._send(Request(f"{self.url}/api/families/{quote(family_id)}/tree"))

    def _send(self, request: Request) -> Document:
        try:
            response: HTTPResponse
            with urlopen(request, timeout=TIMEOUT) as response:
                return _read_json(response.read())
        except HTTPError as error:
            with error:
                raise Refused(_read_json(error.read())) from error
        except (URLError, ConnectionError, TimeoutError) as error:
            raise ServerMissing(f"No server answers at {self.url}.") from error


def _read_json(body: bytes) -> Document:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise ServerMissing("What answers there does not speak JSON.") from error
    if not isinstance(content, dict):
        raise ServerMissing("What answers there is not a Model Heritage server.")
    return content
