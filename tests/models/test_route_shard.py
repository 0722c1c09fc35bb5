from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete

from model_heritage_backend.clustering.routes import encode_route
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.fingerprints.summary import ROUTING_SIZE
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.fingerprints import build_fingerprint_rows, save_route
from model_heritage_backend.models.route_shard import RECORD, RouteShard, Shard
from model_heritage_backend.models.tables import Model
from tests.clustering.synthetic import draw_structures, grow_families
from tests.databases import get_address
from tests.models.conftest import MakeDatabase
from tests.models.rows import make_model


@pytest.fixture(scope="module")
def prints() -> list[Fingerprint]:
    return [print_ for _, print_ in grow_families(2, 6, draw_structures(2)).values()]


def add(database: Database, number: int, print_: Fingerprint) -> None:
    with database.write() as session:
        session.add(make_model(number, str(number)))
        session.flush()
        session.add_all(build_fingerprint_rows(f"m_{number:03}", print_, admitted=True))
        save_route(session, f"m_{number:03}", print_)


def remove(database: Database, *numbers: int) -> None:
    with database.write() as session:
        session.execute(delete(Model).where(Model.id.in_([f"m_{n:03}" for n in numbers])))


def read(shard: Shard) -> dict[str, tuple[str, bytes]]:
    return {
        shard.models[place].decode(): (
            shard.layouts[shard.structures[place]].structure,
            shard.routes[place].tobytes(),
        )
        for place in range(len(shard.models))
    }


def expect(prints: list[Fingerprint], *numbers: int) -> dict[str, tuple[str, bytes]]:
    return {
        f"m_{n:03}": (prints[n].structural_hash, encode_route(prints[n]).tobytes()) for n in numbers
    }


def test_takes_from_the_table_what_it_lacks(
    database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    shard = RouteShard(database, tmp_path / "routes")
    assert read(shard.open()) == {}
    add(database, 0, prints[0])
    add(database, 1, prints[1])
    assert read(shard.open()) == expect(prints, 0, 1)
    add(database, 7, prints[7])
    assert read(shard.open()) == expect(prints, 0, 1, 7)
    size = (tmp_path / "routes" / "routes").stat().st_size
    assert read(RouteShard(database, tmp_path / "routes").open()) == expect(prints, 0, 1, 7)
    assert (tmp_path / "routes" / "routes").stat().st_size == size == 3 * ROUTING_SIZE


def test_numbers_are_never_given_twice(
    database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    shard = RouteShard(database, tmp_path / "routes")
    add(database, 0, prints[0])
    add(database, 1, prints[1])
    shard.open()
    remove(database, 1)
    add(database, 2, prints[2])
    assert read(shard.open()).keys() >= {"m_000", "m_002"}


@pytest.mark.parametrize("name", ["names", "routes"])
def test_what_a_crash_tore_off_comes_from_the_table(
    database: Database, tmp_path: Path, prints: list[Fingerprint], name: str
) -> None:
    for number in range(4):
        add(database, number, prints[number])
    RouteShard(database, tmp_path / "routes").open()
    path = tmp_path / "routes" / name
    os.truncate(path, path.stat().st_size - 5)
    assert read(RouteShard(database, tmp_path / "routes").open()) == expect(prints, 0, 1, 2, 3)


def test_damaged_records_come_from_the_table(
    database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    for number in range(4):
        add(database, number, prints[number])
    RouteShard(database, tmp_path / "routes").open()
    with (tmp_path / "routes" / "routes").open("r+b") as file:
        file.seek(ROUTING_SIZE + 3)
        file.write(b"\x55\x55")
    assert read(RouteShard(database, tmp_path / "routes").open()) == expect(prints, 0, 1, 2, 3)


def test_two_programs_share_the_file(
    make_database: MakeDatabase, database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    first = RouteShard(database, tmp_path / "routes")
    second = RouteShard(make_database(), tmp_path / "routes")
    add(database, 0, prints[0])
    first.open()
    add(database, 1, prints[1])
    assert read(second.open()) == read(first.open()) == expect(prints, 0, 1)
    add(database, 2, prints[2])
    assert read(first.open()) == read(second.open()) == expect(prints, 0, 1, 2)
    assert (tmp_path / "routes" / "names").stat().st_size == 3 * RECORD.itemsize


def test_begun_anew_when_most_of_it_is_gone(
    database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    for number in range(8):
        add(database, number, prints[number])
    other = RouteShard(database, tmp_path / "routes")
    other.open()
    remove(database, *range(6))
    assert read(RouteShard(database, tmp_path / "routes").open()) == expect(prints, 6, 7)
    assert read(other.open()) == expect(prints, 6, 7)


def test_what_was_given_out_stays_as_it_was(
    database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    shard = RouteShard(database, tmp_path / "routes")
    add(database, 0, prints[0])
    before = shard.open()
    add(database, 1, prints[1])
    shard.open()
    assert read(before) == expect(prints, 0)
    assert before.routes.dtype == np.int8


@pytest.mark.parametrize("later", [(2,), (2, 3)])
def test_a_copy_of_another_database_is_made_anew(
    tmp_path: Path, prints: list[Fingerprint], later: tuple[int, ...]
) -> None:
    """An older database was put back: it gives the numbers of what came later to others."""
    first, older = (
        Database(open_engine(get_address(tmp_path / name))) for name in ("first", "older")
    )
    for database in (first, older):
        add(database, 0, prints[0])
    for number in (1, 4):
        add(first, number, prints[number])
    assert len(read(RouteShard(first, tmp_path / "routes").open())) == 3
    for number in later[:-1]:
        add(older, number, prints[number])
    shard = RouteShard(older, tmp_path / "routes")
    assert read(shard.open()) == expect(prints, 0, *later[:-1])
    add(older, later[-1], prints[later[-1]])
    assert read(shard.open()) == expect(prints, 0, *later)
    for database in (first, older):
        database.close()
