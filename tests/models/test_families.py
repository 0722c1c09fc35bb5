from __future__ import annotations

import pytest

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.families import SORTS, Families
from tests.models.rows import add_family, make_model


@pytest.fixture
def families(database: Database) -> Families:
    """a ── b ─┬─ c   ;   x ── y   ;   alone
    └─ d"""
    members = [make_model(n, name) for n, name in enumerate("abcd", 1)]
    add_family(database, "f_big", *members, edges="1-2 2-3 2-4")
    add_family(database, "f_mid", make_model(5, "x"), make_model(6, "y"), edges="5-6")
    add_family(database, "f_one", make_model(7, "alone"))
    return Families(database)


def test_statistics(families: Families) -> None:
    family = families.get("f_big")
    assert family["name"] == "Family of a"
    assert (family["root_id"], family["root_name"]) == ("m_001", "a")
    assert (family["size"], family["depth"], family["leaf_count"]) == (4, 2, 2)
    # Confidences .9, .6, .3; distances .1, .2, .3.
    assert family["unresolved_count"] == 1
    assert family["mean_confidence"] == pytest.approx(0.6)
    assert family["avg_intra_distance"] == pytest.approx(0.2)
    assert family["diameter"] == pytest.approx(0.3)
    assert family["total_parameters"] == 1000


def test_a_model_alone(families: Families) -> None:
    family = families.get("f_one")
    assert (family["size"], family["depth"], family["leaf_count"]) == (1, 0, 1)
    assert family["mean_confidence"] is family["diameter"] is None


def test_largest_first(families: Families) -> None:
    assert [f["id"] for f in families.list_page().families] == ["f_big", "f_mid", "f_one"]
    assert families.list_largest(2) == families.list_page().families[:2]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_give_each_family_once_in_order(families: Families, sort: str) -> None:
    whole = [family["id"] for family in families.list_page(sort=sort).families]
    found, cursor = [], None
    for _ in whole:
        page = families.list_page(sort=sort, limit=1, cursor=cursor)
        assert page.total == 3
        found += [family["id"] for family in page.families]
        cursor = page.next_cursor
    assert (found, cursor) == (whole, None)
    assert set(whole) == {"f_big", "f_mid", "f_one"}


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-depth", ["f_big", "f_mid", "f_one"]),
        ("-unresolved", ["f_big", "f_one", "f_mid"]),
        # Mean confidences .6 and .9, mean distances .2 and .1; none for a model alone.
        ("confidence", ["f_one", "f_big", "f_mid"]),
        ("-distance", ["f_big", "f_mid", "f_one"]),
    ],
)
def test_sorted_by_what_their_edges_tell(families: Families, sort: str, names: list[str]) -> None:
    assert [family["id"] for family in families.list_page(sort=sort).families] == names


def test_search_by_the_name_of_the_root(families: Families) -> None:
    page = families.list_page(search="A", sort="name")
    assert [family["id"] for family in page.families] == ["f_big", "f_one"]
    assert page.total == 2


def test_no_root(families: Families, database: Database) -> None:
    with database.write() as session:
        session.delete(session.get_one(type(make_model(1, "a")), "m_001"))
    family = families.get("f_big")
    assert (family["root_id"], family["name"]) == (None, "Family without a root")


def test_unknown(families: Families) -> None:
    with pytest.raises(NotFound):
        families.get("nothing")
