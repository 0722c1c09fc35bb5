"""Requests to a server, and its refusals as errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from model_heritage_backend.client.problems import build_error
from model_heritage_backend.errors import InvalidRequest, ServerUnreachable
from model_heritage_backend.version import __version__

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 300.0
"""Of silence; a server that solves a large family has nothing to say for a while."""
RETRIES = 3
PAUSE_SECONDS = 0.2
"""Before the second try; twice as long before the next."""

Response = requests.Response


class _Bearer(AuthBase):
    """A token; as ``auth`` it outweighs ~/.netrc and is not sent on to other servers."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Transport:
    """One server's API; connections are kept open."""

    def __init__(self, url: str, token: str | None) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidRequest(f"A server's address begins with http:// or https://, not {url!r}")
        self.url = url.rstrip("/").removesuffix("/api")
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"model-heritage/{__version__}"
        if token is not None:
            self._session.auth = _Bearer(token)
        # Only what changes nothing is asked again by itself.
        retry = Retry(
            total=RETRIES,
            connect=1,
            allowed_methods=["GET", "HEAD"],
            status_forcelist=[502, 503, 504],
            backoff_factor=PAUSE_SECONDS,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> Response:
        """The server's answer to a request below ``/api``.

        Raises
        ------
        HeritageError
            The server's refusal, by its class.
        ServerUnreachable
            Nobody answers, or not a Model Heritage server.
        """
        try:
            response = self._session.request(
                method,
                f"{self.url}/api{path}",
                params=params,
                json=json,
                data=data,
                headers=headers,
                stream=stream,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            )
        except requests.RequestException as error:
            raise ServerUnreachable(f"No server answers at {self.url}.") from error
        if response.ok:
            return response
        with response:
            raise build_error(response.status_code, self.read(response))

    def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The same, for answers in JSON."""
        return self.read(self.send(method, path, **options))

    def read(self, response: Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ServerUnreachable(f"What answers at {self.url} is no Model Heritage server.")
        return answer

    def close(self) -> None:
        self._session.close()
