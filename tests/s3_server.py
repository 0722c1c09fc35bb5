"""A real server of the S3 interface (moto's), for tests of files that are kept there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pytest

BUCKET = "lake"
KEYS = {"AWS_ACCESS_KEY_ID": "heritage", "AWS_SECRET_ACCESS_KEY": "not a secret"}


class S3Server:
    """Listens on a port of its own until it is closed; a context manager."""

    def __init__(self) -> None:
        pytest.importorskip("s3fs", reason="the extra s3 is not installed")
        pytest.importorskip("moto", reason="moto is not installed")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                self.url = found[1]
                break
        else:
            pytest.fail("the S3 server does not start")

    @property
    def environment(self) -> dict[str, str]:
        """What tells a program of it."""
        return {**KEYS, "AWS_ENDPOINT_URL_S3": self.url, "AWS_DEFAULT_REGION": "us-east-1"}

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within the block it accepts connections, and answers nobody."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def connect(self) -> Any:
        """A client that the program does not know."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="tests",
            aws_secret_access_key="tests",
        )

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One for all tests, with the bucket ``BUCKET``; a test has a prefix in it to itself."""
    with S3Server() as server:
        server.connect().create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The same, of which the environment tells."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server
