"""Turns of several programs on one PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.genealogy_turns import GenealogyTurns
from model_heritage_backend.models.tables import MatrixShape
from tests.databases import postgres_only
from tests.models.rows import add_family, make_model

pytestmark = postgres_only
MOMENT = 0.3
LONG = 20.0
Take = Callable[[GenealogyTurns], AbstractContextManager[None]]


@pytest.fixture
def turns(database: Database) -> GenealogyTurns:
    """Two families that share no shape, a third that bridges them, and a newcomer of the first's
    shape."""
    first, second, new = make_model(1, "a"), make_model(2, "b"), make_model(3, "c")
    add_family(database, "f_1", first)
    add_family(database, "f_2", second)
    shapes = [("m_001", "8x8"), ("m_002", "9x9"), ("m_003", "8x8")]
    with database.write() as session:
        session.add(new)
        session.flush()
        session.add_all(MatrixShape(model_id=model, shape=shape) for model, shape in shapes)
    return GenealogyTurns(database)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def is_kept_waiting(
    turns: GenealogyTurns, pool: ThreadPoolExecutor, take: Take, *, seconds: float = MOMENT
) -> bool:
    """Whether somebody else has to wait for a turn so long; it is over soon after."""
    had = threading.Event()

    def wait() -> None:
        with take(turns):
            had.set()

    pool.submit(wait)
    return not had.wait(seconds)


def take_new(turns: GenealogyTurns) -> AbstractContextManager[None]:
    return turns.take_for_models(["m_003"])


def take_first(turns: GenealogyTurns) -> AbstractContextManager[None]:
    return turns.take_for_family("f_1")


def take_second(turns: GenealogyTurns) -> AbstractContextManager[None]:
    return turns.take_for_family("f_2")


@pytest.mark.parametrize(
    ("has", "wants", "waits"),
    [
        (take_new, take_first, True),
        (take_first, take_new, True),
        (take_new, take_second, False),
        (take_new, GenealogyTurns.take_all, True),
        (GenealogyTurns.take_all, take_second, True),
    ],
)
def test_who_waits_for_whom(
    turns: GenealogyTurns, pool: ThreadPoolExecutor, has: Take, wants: Take, waits: bool
) -> None:
    with has(turns):
        seconds = MOMENT if waits else LONG
        assert is_kept_waiting(turns, pool, wants, seconds=seconds) == waits


def test_an_adapter_is_placed_alone(
    turns: GenealogyTurns, pool: ThreadPoolExecutor, database: Database
) -> None:
    """It may belong to any family whose shapes it fits, and leave any other."""
    with database.write() as session:
        session.add(make_model(4, "d"))
        session.flush()
        session.add(MatrixShape(model_id="m_004", shape="+9x9"))
    with take_new(turns):
        assert is_kept_waiting(turns, pool, lambda turns: turns.take_for_models(["m_004"]))
        assert is_kept_waiting(turns, pool, take_second)


def test_what_grew_while_it_was_waited_for_is_taken_as_well(
    turns: GenealogyTurns, pool: ThreadPoolExecutor, database: Database
) -> None:
    begun, had, over = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        with take_new(turns):
            had.set()
            over.wait(LONG)

    with take_first(turns):
        done = pool.submit(wait)
        begun.wait()
        assert not had.wait(MOMENT)
        with database.write() as session:
            session.add(MatrixShape(model_id="m_001", shape="9x9"))
    assert had.wait(LONG)
    # The second family's shape is one of the first family's now.
    assert is_kept_waiting(turns, pool, take_second)
    over.set()
    done.result(LONG)
