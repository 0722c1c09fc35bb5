from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from model_heritage_backend.models.claims import Claims
from model_heritage_backend.models.conflicts import settle_families
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.model_filters import ModelFilter
from model_heritage_backend.models.tables import Model, Parentage
from tests.models.rows import add_family, make_model

Say = Callable[..., dict[str, str]]


@pytest.fixture
def lake(database: Database) -> Lake:
    """root ── child ── grandchild   (.9, .6)   ;   other"""
    members = [make_model(n, name) for n, name in enumerate(("root", "child", "grandchild"), 1)]
    add_family(database, "f_1", *members, edges="1-2 2-3")
    add_family(database, "f_2", make_model(4, "other"))
    return Lake(database)


@pytest.fixture
def say(database: Database, lake: Lake) -> Say:
    """Claims something of a model; its conflicts afterwards, kind -> detail."""

    def act(number: int, **said: Any) -> dict[str, str]:
        model_id = f"m_{number:03}"
        Claims(database).change({model_id: said})
        return tell(lake, number)

    return act


def tell(lake: Lake, number: int) -> dict[str, str]:
    view = lake.get(f"m_{number:03}")
    marked = {v.row.id for v in lake.list_page(ModelFilter(conflict=True)).views}
    assert (view.row.id in marked) == bool(view.conflicts)
    return {conflict.kind: conflict.detail for conflict in view.conflicts}


def change_confidence(database: Database, child: str, confidence: float) -> None:
    with database.write() as session:
        session.execute(
            update(Parentage).where(Parentage.child_id == child).values(confidence=confidence)
        )
        session.execute(update(Model).where(Model.id == child).values(confidence_score=confidence))
        settle_families(session, [child])


@pytest.mark.parametrize("base", ["root", "ROOT", "org/Root", "m_001", f"{1:064x}", "x/root/"])
def test_an_ancestor_is_no_conflict(say: Say, lake: Lake, base: str) -> None:
    assert say(2, base_model=base) == {}
    assert lake.get("m_002").declared.base_model_id == "m_001"


def test_a_base_that_is_not_here_says_nothing(say: Say) -> None:
    assert say(2, base_model="unheard/of") == {}


def test_another_family(say: Say) -> None:
    assert "not related" in say(2, base_model="other")["base_model"]
    assert say(2, base_model=None) == {}


def test_what_is_no_ancestor_conflicts_where_the_parent_is_sure(
    say: Say, lake: Lake, database: Database
) -> None:
    detail = say(2, base_model="grandchild")["base_model"]
    assert "that one came from it" in detail
    change_confidence(database, "m_002", 0.89)
    assert tell(lake, 2) == {}
    # grandchild's own parent is a guess of 0.6; the root's confidence is 0.7.
    assert say(1, base_model="child") == {}


def test_a_sibling_is_no_ancestor(say: Say, lake: Lake, database: Database) -> None:
    a, b, c = (make_model(number, name) for number, name in ((5, "a"), (6, "b"), (7, "c")))
    add_family(database, "f_3", a, b, c, edges="5-6 5-7")
    assert say(6, base_model="c") == {
        "base_model": "It is said to come from c, but by its weights from a (90 % sure)."
    }
    lake.change("m_005", {"name": "renamed"})
    assert "from renamed" in tell(lake, 6)["base_model"]


def test_names_come_and_go(say: Say, lake: Lake, database: Database) -> None:
    """What a claim means follows the models that are here."""
    say(2, base_model="org/newcomer")
    lake.change("m_004", {"name": "Newcomer", "name_folded": fold("Newcomer")})
    assert "Newcomer" in tell(lake, 2)["base_model"]
    lake.change("m_003", {"name": "newcomer", "name_folded": fold("newcomer")})
    assert lake.get("m_002").declared.base_model_id is None
    assert tell(lake, 2) == {}
    lake.change("m_003", {"name": "grandchild", "name_folded": fold("grandchild")})
    assert "Newcomer" in tell(lake, 2)["base_model"]
    with database.write() as session:
        session.execute(delete(Model).where(Model.id == "m_004"))
    assert tell(lake, 2) == {}


def test_a_family_that_changes_settles_the_claims_on_it(
    say: Say, lake: Lake, database: Database
) -> None:
    assert say(4, base_model="child")
    with database.write() as session:
        session.execute(update(Model).where(Model.id == "m_004").values(family_id="f_1"))
        settle_families(session, ["m_001", "m_002", "m_003", "m_004"])
    assert tell(lake, 4) == {}


def test_licences(say: Say, lake: Lake, database: Database) -> None:
    say(1, licence="CC-BY-NC-4.0")
    detail = say(2, licence="Apache 2.0")["licence"]
    assert detail == (
        "It is said to be under Apache 2.0, but its parent root under CC-BY-NC-4.0, which asks for "
        "more: no commercial use."
    )
    change_confidence(database, "m_002", 0.49)
    assert tell(lake, 2) == {}
    change_confidence(database, "m_002", 0.5)
    assert tell(lake, 2).keys() == {"licence"}
    say(1, licence="my own")
    assert tell(lake, 2) == {}
    say(1, licence="gpl-3.0")
    assert tell(lake, 2).keys() == {"licence"}
    assert say(2, licence="GPL v3") == {}
    assert say(2, licence=None) == {}


def test_an_adapter_without_a_home_denies_nothing(say: Say, database: Database) -> None:
    add_family(database, "f_3", make_model(5, "lora", quality=["adapter"]))
    assert say(5, base_model="root") == {}
