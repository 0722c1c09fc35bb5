"""Pushes against a driver that records, and the real driver against a port where nobody is."""

from __future__ import annotations

import builtins
import socket
from collections.abc import Callable
from typing import Any, Self

import neo4j
import pytest
from neo4j.exceptions import AuthError, ClientError

from model_heritage_backend.errors import NotConfigured, ServerUnreachable
from model_heritage_backend.interop.cypher import PREPARE, build_transactions
from model_heritage_backend.interop.neo4j_server import Neo4jServer
from tests.interop.lakes import make_lineage

SECRET = "correct horse"
SERVER = Neo4jServer(url="neo4j://graph:7687", user="heritage", password=SECRET, database="models")


class FakeDriver:
    """Keeps what is committed: a list of (text, parameters) per transaction.

    ``fail_at`` is the number of the transaction in which the server gives up.
    """

    def __init__(self, *, fail_at: int | None = None, error: Exception | None = None) -> None:
        self.committed: list[list[tuple[str, dict[str, Any]]]] = []
        self.opened: dict[str, Any] = {}
        self.database: str | None = None
        self.closed = False
        self._fail_at = fail_at
        self._error = error

    def connect(self, url: str, **options: Any) -> Self:
        self.opened = {"url": url, **options}
        return self

    def verify_connectivity(self) -> None:
        if self._error is not None and self._fail_at is None:
            raise self._error

    def session(self, *, database: str | None) -> Self:
        self.database = database
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def run(self, text: str) -> Result:
        self.committed.append([(text, {})])
        return Result()

    def execute_write(self, work: Callable[..., None], *arguments: Any) -> None:
        transaction = Transaction()
        work(transaction, *arguments)
        if self._error is not None and self._fail_at == len(self.committed):
            raise self._error
        self.committed.append(transaction.statements)


class Transaction:
    def __init__(self) -> None:
        self.statements: list[tuple[str, dict[str, Any]]] = []

    def run(self, text: str, parameters: dict[str, Any]) -> Result:
        self.statements.append((text, parameters))
        return Result()


class Result:
    def consume(self) -> None:
        pass


def install(monkeypatch: pytest.MonkeyPatch, driver: FakeDriver) -> FakeDriver:
    monkeypatch.setattr(neo4j.GraphDatabase, "driver", driver.connect)
    return driver


def test_one_transaction_per_family(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = install(monkeypatch, FakeDriver())
    transactions = build_transactions(make_lineage(sizes=(5, 2), whole_lake=True))
    SERVER.push(transactions)
    assert [part[0][0] for part in driver.committed[:2]] == list(PREPARE)
    assert driver.committed[2:] == [
        [(statement.text, dict(statement.parameters)) for statement in part]
        for part in transactions
    ]
    assert driver.opened["url"] == SERVER.url
    assert driver.opened["auth"] == ("heritage", SECRET)
    assert driver.database == "models"
    assert driver.closed


def test_families_before_a_failure_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ClientError("no")
    driver = install(monkeypatch, FakeDriver(fail_at=3, error=broken))
    with pytest.raises(ServerUnreachable, match="refuses the genealogy"):
        SERVER.push(build_transactions(make_lineage(sizes=(5, 2, 1))))
    assert len(driver.committed) == 3
    assert driver.closed


def test_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = install(monkeypatch, FakeDriver(error=AuthError("no")))
    with pytest.raises(ServerUnreachable, match="the user or the password") as caught:
        SERVER.push([])
    assert driver.committed == []
    assert SECRET not in str(caught.value) + repr(SERVER)


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_nobody_answers(scheme: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{free.getsockname()[1]}"
        server = Neo4jServer(url=url, user="heritage", password=SECRET)
        with pytest.raises(ServerUnreachable, match="cannot be reached"):
            server.push([])


def test_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] == "neo4j":
            raise ImportError(name)
        return plain(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(NotConfigured, match="pip install neo4j"):
        SERVER.push([])
