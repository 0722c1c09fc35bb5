from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Select, func, select, text

from model_heritage_backend.models.database import Database
from model_heritage_backend.models.model_filters import ModelFilter
from model_heritage_backend.models.paging import SORTS, encode_cursor, follows
from model_heritage_backend.models.tables import Model
from tests.databases import sqlite_only
from tests.models.rows import START

SAMPLES = {str: "a", int: 1, float: 0.5, datetime: START}
BY_NAME = ModelFilter(search="a")
SORTING = "USE TEMP B-TREE FOR ORDER BY"


def explain(database: Database, query: Select[tuple[object]]) -> list[str]:
    sql = str(query.compile(database.engine, compile_kwargs={"literal_binds": True}))
    with database.read() as session:
        plan = session.execute(text("EXPLAIN QUERY PLAN " + sql.replace(":", r"\:")))
        return [row[-1] for row in plan]


def list_whole_scans(plan: list[str]) -> list[str]:
    return [step for step in plan if step.startswith("SCAN models") and "INDEX" not in step]


@sqlite_only
@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_an_index(database: Database, sort: str) -> None:
    order = SORTS[sort]
    query = select(Model.id).order_by(*order.clauses).limit(9)
    cursor = encode_cursor(sort, SAMPLES[order.kind], "m_1")
    for one in (query, query.where(follows(sort, cursor))):
        plan = explain(database, one)
        assert "INDEX" in plan[0]
        assert SORTING not in plan


@sqlite_only
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (BY_NAME, "ix_models_name_folded_id"),
        (ModelFilter(relation="finetune"), "ix_models_relation_name"),
        (ModelFilter(licence="mit"), "ix_models_licence_name"),
        (ModelFilter(status="ok"), "ix_models_status_name"),
    ],
)
def test_common_filters_are_listed_in_order_by_one_index(
    database: Database, wanted: ModelFilter, index: str
) -> None:
    plan = explain(
        database, wanted.apply(select(Model.id)).order_by(*SORTS["name"].clauses).limit(9)
    )
    assert f"USING COVERING INDEX {index}" in plan[0]
    assert SORTING not in plan


@sqlite_only
@pytest.mark.parametrize(
    "wanted",
    [
        BY_NAME,
        ModelFilter(family="f"),
        ModelFilter(relation="root"),
        ModelFilter(relation="leaf"),
        ModelFilter(relation="unresolved"),
        ModelFilter(parameters_min=1, parameters_max=2),
        ModelFilter(created_after=START),
        ModelFilter(tags=("a", "b")),
        ModelFilter(conflict=True),
        ModelFilter(conflict=False),
    ],
)
def test_no_filter_reads_whole_rows(database: Database, wanted: ModelFilter) -> None:
    plan = explain(database, wanted.apply(select(func.count()).select_from(Model)))
    assert list_whole_scans(plan) == []
