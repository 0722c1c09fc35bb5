from __future__ import annotations

import base64
import json

import pytest

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.paging import SORTS
from tests.models.rows import make_model

NAMES = ["b", "a", "c", "a", "B", "a"]


@pytest.fixture
def lake(database: Database) -> Lake:
    """Six models; equal names, and equal numbers of parameters in pairs."""
    with database.write() as session:
        session.add_all(
            make_model(number, name, total_parameters=number // 2)
            for number, name in enumerate(NAMES)
        )
    return Lake(database)


def walk(lake: Lake, sort: str, limit: int) -> list[str]:
    found, cursor = [], None
    while True:
        page = lake.list_page(sort=sort, limit=limit, cursor=cursor)
        assert page.total == len(NAMES)
        found += [view.row.id for view in page.views]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 6])
def test_pages_give_each_model_once_in_order(lake: Lake, sort: str, limit: int) -> None:
    whole = [view.row.id for view in lake.list_page(sort=sort).views]
    assert walk(lake, sort, limit) == whole
    assert sorted(whole) == [f"m_{number:03}" for number in range(len(NAMES))]


def test_names_are_sorted_whatever_their_case(lake: Lake) -> None:
    assert walk(lake, "name", 6) == ["m_001", "m_003", "m_005", "m_000", "m_004", "m_002"]
    assert walk(lake, "-name", 6) == walk(lake, "name", 6)[::-1]


def test_what_comes_meanwhile_neither_repeats_nor_hides(lake: Lake, database: Database) -> None:
    first = lake.list_page(limit=3)
    with database.write() as session:
        session.add(make_model(9, "aa"))
        session.delete(first.views[0].row)
    second = lake.list_page(limit=9, cursor=first.next_cursor)
    assert [view.row.id for view in second.views] == ["m_009", "m_000", "m_004", "m_002"]


def encode(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("name", "no base64!"),
        ("name", "AAAA"),
        ("name", encode(["-name", "a", "m_1"])),
        ("name", encode(["name", "a"])),
        ("name", encode(["name", 5, "m_1"])),
        ("name", encode(["name", "a", 1])),
        ("name", encode({"name": 1})),
        ("name", encode(["name", "\ud800", "m_1"])),
        ("name", base64.urlsafe_b64encode(b"[" * 1400).decode()),
        ("created_at", encode(["created_at", "yesterday", "m_1"])),
        ("created_at", encode(["created_at", None, "m_1"])),
        ("total_parameters", encode(["total_parameters", 2**63, "m_1"])),
        ("total_parameters", encode(["total_parameters", True, "m_1"])),
        ("total_parameters", encode(["total_parameters", 1.5, "m_1"])),
    ],
)
def test_invented_cursors_are_refused(lake: Lake, sort: str, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        lake.list_page(sort=sort, cursor=cursor)


def test_a_time_without_zone_is_no_server_error(lake: Lake) -> None:
    cursor = encode(["created_at", "2026-01-01T00:00:00", "m_0"])
    assert len(lake.list_page(sort="created_at", cursor=cursor).views) == len(NAMES)
