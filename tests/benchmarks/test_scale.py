"""The generator of lakes and the table of figures; what is measured is not tested here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, func, select

from benchmarks.scale import nearest
from benchmarks.scale.lake import fill_lake
from benchmarks.scale.rows import at_least, at_most, format_report, time_median, write_report
from benchmarks.scale.synthetic import OPERATIONS, Breeder
from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import Family, Model
from tests.clustering.synthetic import draw_structures, grow_families


def test_families_follow_from_their_seed() -> None:
    shapes = draw_structures(1)[0]
    first, second = (list(Breeder(shapes, 5).grow(40)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one.place, one.parents, one.relation) == (
            other.place,
            other.parents,
            other.relation,
        )
        assert all(np.array_equal(v, other.weights[n]) for n, v in one.weights.items())
    assert {born.relation for born in first} <= {"root", *OPERATIONS}
    assert len({born.relation for born in first}) >= 5
    assert all(parent < born.place for born in first for parent in born.parents)


def test_the_engine_finds_most_true_parents() -> None:
    from model_heritage_backend.clustering.heritage import solve_family

    shapes = draw_structures(3)[2]
    prints = {model: print_ for model, (_, print_) in grow_families(1, 20, [shapes]).items()}
    places = {model: place for place, model in enumerate(prints)}
    truth = {(parent, b.place) for b in Breeder(shapes, 0).grow(20) for parent in b.parents}
    tree = solve_family(prints)
    found = {(places[e.parent], places[e.child]) for e in tree.edges}
    assert len(found & truth) >= 0.6 * len(found)


def test_a_filled_lake_is_as_the_truth_says(tmp_path: Path) -> None:
    fill_lake(tmp_path / "app.db", 24, structures=draw_structures(2), size=8)
    database = Database(create_engine(f"sqlite:///{tmp_path}/app.db"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Model)) == 24
        families = session.execute(select(Model.family_id, Model.id)).all()
        assert session.scalar(select(func.count()).select_from(Family)) == 3
    store = SqlStore(database, FileStore(tmp_path, max_file_bytes=1), cache_bytes=1 << 24)
    system = ModelManagementSystem(store)
    assert system.recluster_all_models()["families_solved"] == 3
    with database.read() as session:
        assert session.execute(select(Model.family_id, Model.id)).all() == families
    database.close()


def test_rows_tell_whether_they_hold(tmp_path: Path) -> None:
    rows = [
        at_most("quick", 0.5, "s", "limit", 1.0),
        at_most("slow", 3.0, "s", "limit", 1.0, 0.5),
        at_least("fast", 2.0, "GB/s", "read", 4.0, None),
    ]
    assert [row.holds for row in rows] == [True, False, None]
    assert [row.ratio for row in rows] == [2.0, 1 / 3, 0.5]
    write_report(rows, tmp_path / "scale")
    content = json.loads((tmp_path / "scale.json").read_text())
    assert [row["holds"] for row in content["rows"]] == [True, False, None]
    assert content["run"].keys() == {"when", "commit", "machine", "python", "load"}
    assert "| slow | 3 s | limit | 1 s | 0.333 | 0.5 | no |" in format_report(rows, content["run"])
    assert time_median(lambda: None, 3) < 1.0


def test_all_relatives_are_found_among_few_routes() -> None:
    pytest.importorskip("usearch", reason="only the benchmark needs it")
    rows = {row.what: row for row in nearest.measure(400)}
    # As many as are asked for at most, so nothing can be missed.
    for kind in nearest.SHARES:
        row = rows[f"families found of {kind}"]
        assert (row.found, row.against) == (1.0, pytest.approx(1.0, abs=0.02))


def test_newcomers_correlate_as_they_should() -> None:
    rng = np.random.default_rng(1)
    routes = nearest.draw_routes(100, rng)
    asking, families = nearest.draw_newcomers(routes, (0.3, 0.3001), rng)
    known = routes[families * nearest.FAMILY].astype(float)
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(asking, known, strict=True)]
    assert np.mean(found) == pytest.approx(0.3, abs=0.03)
