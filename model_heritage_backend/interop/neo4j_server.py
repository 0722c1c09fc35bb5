"""Genealogies into a Neo4j database, by its official driver, which is imported when it is used."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model_heritage_backend.errors import NotConfigured, ServerUnreachable
from model_heritage_backend.interop.cypher import PREPARE, Statement

if TYPE_CHECKING:
    from neo4j import Driver, ManagedTransaction

CONNECT_SECONDS = 10.0
RETRY_SECONDS = 15.0
"""How long a transaction is tried again that another one stood in the way of."""


@dataclass(frozen=True)
class Neo4jServer:
    """Where a Neo4j database is, and who may write to it.

    Parameters
    ----------
    url : such as neo4j://localhost:7687
    database : None for the server's default
    pool_size : connections at the same time, at most
    """

    url: str
    user: str
    password: str = field(repr=False)
    database: str | None = None
    pool_size: int = 10
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def push(self, transactions: Sequence[Sequence[Statement]]) -> None:
        """Run each list of statements in a transaction of its own; one push at a time.

        Raises
        ------
        NotConfigured
            When the driver is not installed.
        ServerUnreachable
            When the server does not answer, or refuses; transactions before that are kept.
        """
        try:
            import neo4j
            from neo4j.exceptions import AuthError, DriverError, Neo4jError
        except ImportError as error:
            raise NotConfigured(
                "The driver of Neo4j is not installed: pip install neo4j."
            ) from error
        try:
            driver = neo4j.GraphDatabase.driver(
                self.url,
                auth=(self.user, self.password),
                max_connection_pool_size=self.pool_size,
                connection_timeout=CONNECT_SECONDS,
                connection_acquisition_timeout=2 * CONNECT_SECONDS,
                max_transaction_retry_time=RETRY_SECONDS,
            )
            with self._turn, driver:
                self._push(driver, transactions)
        except AuthError as error:
            raise ServerUnreachable("Neo4j refuses the user or the password.") from error
        except Neo4jError as error:
            raise ServerUnreachable(f"Neo4j refuses the genealogy ({error.code}).") from error
        except DriverError as error:
            raise ServerUnreachable("The Neo4j server cannot be reached.") from error

    def _push(self, driver: Driver, transactions: Sequence[Sequence[Statement]]) -> None:
        driver.verify_connectivity()
        with driver.session(database=self.database) as session:
            for text in PREPARE:
                session.run(text).consume()
            for statements in transactions:
                session.execute_write(_run, statements)


def _run(transaction: ManagedTransaction, statements: Sequence[Statement]) -> None:
    for statement in statements:
        transaction.run(statement.text, dict(statement.parameters)).consume()
