from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.models import route_index
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.route_index import RouteIndex
from model_heritage_backend.models.route_shard import RouteShard
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import Family, FingerprintRow, Model, RouteRow
from tests.clustering.synthetic import draw_structures, grow_families
from tests.models.test_route_shard import add

FAMILIES, SIZE = 6, 8


@pytest.fixture(scope="module")
def prints() -> list[Fingerprint]:
    """Of six families, all of one structure but for other heads."""
    return [print_ for _, print_ in grow_families(FAMILIES, SIZE, draw_structures(1)).values()]


@pytest.fixture
def index(database: Database, tmp_path: Path, prints: list[Fingerprint]) -> RouteIndex:
    """All but the last member of each family is here."""
    for number, print_ in enumerate(prints):
        if number % SIZE < SIZE - 1:
            add(database, number, print_)
    for family in range(FAMILIES):
        members = range(family * SIZE, family * SIZE + SIZE - 1)
        place(database, f"f_{family}", [f"m_{number:03}" for number in members])
    return RouteIndex(database, RouteShard(database, tmp_path / "routes"))


def place(database: Database, family: str, models: list[str]) -> None:
    with database.write() as session:
        session.add(Family(id=family, root_id=models[0], root_confidence=1.0, method="heritage"))
        session.flush()
        session.execute(update(Model).where(Model.id.in_(models)).values(family_id=family))


def test_of_few_models_all_are_likely(index: RouteIndex, prints: list[Fingerprint]) -> None:
    likely = index.list_likely(prints[SIZE - 1])
    assert {family: len(members) for family, members in likely.items()} == {
        f"f_{family}": SIZE - 1 for family in range(FAMILIES)
    }


def test_of_many_models_the_nearest_are_likely(
    index: RouteIndex, prints: list[Fingerprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route_index, "FEW", 5)
    monkeypatch.setattr(route_index, "FAMILIES_TRIED", 2)
    for family in range(FAMILIES):
        likely = index.list_likely(prints[family * SIZE + SIZE - 1])
        assert next(iter(likely)) == f"f_{family}"
        assert len(likely) <= 3
        assert all(len(members) <= route_index.MEMBERS_TRIED for members in likely.values())


def test_who_waits_for_a_turn_is_not_seen(
    index: RouteIndex, database: Database, prints: list[Fingerprint]
) -> None:
    with database.write() as session:
        session.execute(update(FingerprintRow).values(admitted=False))
    assert index.list_likely(prints[0]) == {}
    assert list(index.iterate_blocks()) == []


def test_models_without_a_route_get_one(
    index: RouteIndex, database: Database, tmp_path: Path, prints: list[Fingerprint]
) -> None:
    with database.write() as session:
        session.execute(delete(RouteRow).where(RouteRow.model_id.in_(["m_001", "m_009"])))
    assert index.list_missing() == ["m_001", "m_009"]
    files = FileStore(tmp_path, max_file_bytes=1 << 20)
    store = SqlStore(database, files, cache_bytes=0)
    assert store.fill_routes() == 2
    assert store.fill_routes() == 0
    blocks = list(index.iterate_blocks())
    assert sum(len(block.ids) for block in blocks) == FAMILIES * (SIZE - 1)
