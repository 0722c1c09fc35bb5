from __future__ import annotations

import pytest
from sqlalchemy import event

from model_heritage_backend.errors import NotFound
from model_heritage_backend.models.claim_tables import Declaration
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.genealogies import Genealogies
from tests.models.rows import add_family, make_model


@pytest.fixture
def genealogies(database: Database) -> Genealogies:
    add_family(database, "f_b", *(make_model(n, f"model {n}") for n in (1, 2, 3)), edges="1-2 2-3")
    add_family(database, "f_a", make_model(4, "alone", dtypes={"F32": 4}))
    with database.write() as session:
        session.add(Declaration(model_id="m_004", licence="mit", sources={"licence": "person"}))
        session.add(make_model(5, "waiting", status="processing", quality=["tiny"]))
    return Genealogies(database)


def test_everything(genealogies: Genealogies) -> None:
    found = genealogies.load()
    assert [model.id for model in found.models] == [f"m_{n:03}" for n in range(1, 6)]
    assert [family.id for family in found.families] == ["f_a", "f_b"]
    assert found.families[1].tree.members == ("m_001", "m_002", "m_003")
    assert set(found.updated_at) == {"f_a", "f_b"}
    alone, waiting = found.models[3:]
    assert (alone.licence, alone.dtypes, alone.name) == ("mit", {"F32": 4}, "alone")
    assert waiting.quality == ("tiny",)


def test_a_family_and_the_one_of_a_model(genealogies: Genealogies) -> None:
    found = genealogies.load(family_id="f_b")
    assert [model.id for model in found.models] == ["m_001", "m_002", "m_003"]
    assert genealogies.load(model_id="m_003") == found


def test_a_model_that_waits_has_no_family(genealogies: Genealogies) -> None:
    found = genealogies.load(model_id="m_005")
    assert [model.id for model in found.models] == ["m_005"]
    assert found.families == []


@pytest.mark.parametrize("asked", [{"family_id": "f_c"}, {"model_id": "m_006"}])
def test_what_is_not_there(genealogies: Genealogies, asked: dict[str, str]) -> None:
    with pytest.raises(NotFound, match=r"f_c|m_006"):
        genealogies.load(**asked)


def test_the_number_of_queries_does_not_grow(database: Database) -> None:
    for number in range(1, 30):
        add_family(database, f"f_{number}", make_model(number, "x"))
    asked: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *given: asked.append(str(given[2]))
    )
    Genealogies(database).load()
    assert len(asked) < 10
    assert not any("fingerprints" in statement for statement in asked)
