from __future__ import annotations

from typing import Any

import pytest

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.model_filters import ModelFilter
from tests.models.rows import add_family, make_model


@pytest.fixture
def lake(database: Database) -> Lake:
    """Straße ─┬─ Äpfel          ;  100%_sure alone, without a family
    └─ äpfel-tuned"""
    add_family(
        database,
        "f_1",
        make_model(1, "Straße"),
        make_model(2, "Äpfel"),
        make_model(3, "äpfel-tuned"),
        edges="1-2 1-3",
    )
    with database.write() as session:
        session.add(make_model(4, "100%_sure", status="processing"))
    return Lake(database)


def list_names(lake: Lake, **query: Any) -> list[str]:
    return [view.row.name for view in lake.list_page(ModelFilter(**query)).views]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ÄPFEL", ["Äpfel", "äpfel-tuned"]),
        ("strasse", ["Straße"]),
        ("TUNED", ["äpfel-tuned"]),
        ("%", ["100%_sure"]),
        ("_", ["100%_sure"]),
        ("\\", []),
        ("nothing", []),
    ],
)
def test_search_ignores_case_and_takes_every_sign_as_itself(
    lake: Lake, search: str, found: list[str]
) -> None:
    assert list_names(lake, search=search) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"family": "f_1"}, ["Straße", "Äpfel", "äpfel-tuned"]),
        ({"status": "processing"}, ["100%_sure"]),
        ({"relation": "finetune"}, ["Äpfel", "äpfel-tuned"]),
        ({"relation": "merge"}, []),
        ({"relation": "root"}, ["Straße"]),
        ({"family": "f_1", "search": "tuned"}, ["äpfel-tuned"]),
    ],
)
def test_filters(lake: Lake, query: dict[str, Any], found: list[str]) -> None:
    page = lake.list_page(ModelFilter(**query))
    assert [view.row.name for view in page.views] == found
    assert page.total == len(found)


def test_views_tell_of_relatives(lake: Lake) -> None:
    root, child, alone = lake.get("m_001"), lake.get("m_002"), lake.get("m_004")
    assert (root.family_name, root.family_size, root.is_root) == ("Family of Straße", 3, True)
    assert (root.parent_name, root.relation) == (None, None)
    assert (child.parent_name, child.relation, child.is_root) == ("Straße", "finetune", False)
    assert (alone.family_name, alone.family_size, alone.is_root) == (None, 0, False)


def test_many_by_id_come_by_name(lake: Lake) -> None:
    views = lake.list_by_ids(["m_003", "m_004", "m_001", "nobody"])
    assert [view.row.name for view in views] == ["100%_sure", "Straße", "äpfel-tuned"]


def test_unknown_model(lake: Lake) -> None:
    with pytest.raises(NotFound):
        lake.get("nobody")
    with pytest.raises(NotFound):
        lake.change("nobody", {"name": "x"})


def test_totals(lake: Lake) -> None:
    totals = lake.count()
    assert totals["total_models"] == 4
    assert totals["total_families"] == 1
    assert totals["total_parameters"] == 1000
    assert totals["total_bytes"] == 100
    assert (totals["total_edges"], totals["resolved_edges"]) == (2, 2)
    assert (totals["processing"], totals["errors"]) == (1, 0)
    assert totals["relations"] == {"finetune": 2}
    assert totals["mean_confidence"] == pytest.approx(0.75)


def test_totals_of_nothing(database: Database) -> None:
    totals = Lake(database).count()
    assert totals["total_models"] == totals["total_bytes"] == totals["total_edges"] == 0
    assert totals["mean_confidence"] is None
