from __future__ import annotations

import csv
import io

import pytest
from flask.testing import FlaskClient

from model_heritage_backend.models.claims import Claims
from model_heritage_backend.models.tables import GhostRow, Parentage
from model_heritage_backend.services.heritage_service import HeritageService
from tests.models.rows import add_family, make_model
from tests.served import check_problem


@pytest.fixture
def lake(service: HeritageService) -> HeritageService:
    """root ─┬─ =a ── b     (.9, .6; b also merged from c: .5)
    ├─ c (.3, a guess) ── d (.0)      ;  e below a ghost"""
    database = service._database
    names = ("root", "=a", "b", "c", "d", "e")
    members = [make_model(number, name) for number, name in enumerate(names, 1)]
    add_family(database, "f_1", *members, edges="1-2 2-3 1-4 4-5")
    with database.write() as session:
        session.add(
            Parentage(
                child_id="m_003", parent_id="m_004", family_id="f_1", is_main=False,
                relation="merge", distance=0.1, confidence=0.5, evidence={},
            )
        )  # fmt: skip
        session.get_one(Parentage, ("m_005", "m_004")).evidence = {
            "runner_up": "m_002",
            "margin": -0.2,
        }
        session.add(
            GhostRow(
                family_id="f_1", id="ghost-1", children=["m_006"], confidence=0.9,
                parent_id="m_001", distances=[],
            )
        )  # fmt: skip
        session.add(make_model(7, "waiting", status="processing"))
    Claims(database).change(
        {
            "m_001": {"licence": "cc-by-nc-4.0"},
            "m_002": {"licence": "mit"},
            "m_004": {"licence": "our own"},
        }
    )
    return service


def test_descendants(client: FlaskClient, lake: HeritageService) -> None:
    found = client.get("/api/models/m_001/descendants").get_json()["descendants"]
    merged = 1 - (1 - 0.9 * 0.6) * (1 - 0.3 * 0.5)
    assert [(one["name"], one["probability"]) for one in found] == [
        ("=a", pytest.approx(0.9)),
        ("b", pytest.approx(merged)),
        ("c", pytest.approx(0.3)),
        ("d", pytest.approx(0.0, abs=1e-9)),
    ]
    assert [step["child_name"] for step in found[1]["path"]] == ["=a", "b"]


def test_impact(client: FlaskClient, lake: HeritageService) -> None:
    report = client.get("/api/models/m_002/impact").get_json()
    assert [one["name"] for one in report["likely"]] == ["b"]
    assert report["sure"] == report["possible"] == []
    doubts = {
        one["name"]: (one["kind"], one["probability"]) for one in report["cannot_be_ruled_out"]
    }
    assert doubts == {
        "c": ("model", None),
        "d": ("model", pytest.approx(0.2)),
        "e": ("model", None),
        "ghost-1": ("ghost", None),
    }
    assert report["summary"] == (
        "If =a is flawed, 0 models of its family are surely reached (90 % or more), 1 likely and "
        "0 possibly. 3 more models and 1 missing model cannot be ruled out."
    )


@pytest.mark.parametrize("way", ["header", "query"])
def test_impact_as_a_table(client: FlaskClient, lake: HeritageService, way: str) -> None:
    query = "?format=csv" if way == "query" else ""
    headers = {"Accept": "text/csv"} if way == "header" else {}
    answer = client.get(f"/api/models/m_001/impact{query}", headers=headers)
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["group"], row["name"]) for row in rows] == [
        ("sure", "'=a"),
        ("likely", "b"),
        ("possible", "c"),
        ("possible", "d"),
        ("cannot_be_ruled_out", "e"),
        ("cannot_be_ruled_out", "ghost-1"),
    ]
    assert rows[1]["path"] == "root > =a > b"


def test_licence(client: FlaskClient, lake: HeritageService) -> None:
    report = client.get("/api/models/m_003/licence").get_json()
    assert (report["licence"], report["known"], report["restrictions"]) == (None, False, None)
    inherited = {(one["restriction"], one["from"]["name"]) for one in report["inherited"]}
    assert inherited == {
        ("non_commercial", "root"),
        ("attribution", "root"),
        ("attribution", "=a"),
    }
    assert [(o["licence"], o["from"]["name"]) for o in report["unknown_above"]] == [
        ("our own", "c")
    ]
    assert "legal advice" in report["notice"]
    root = client.get("/api/models/m_001/licence").get_json()
    heirs = {heir["model"]["name"]: heir["dropped"] for heir in root["heirs"]}
    assert heirs == {"=a": ["non_commercial"], "b": None, "c": None, "d": None}


@pytest.mark.parametrize("path", ["descendants", "impact", "licence"])
def test_without_a_place_and_unknown(client: FlaskClient, lake: HeritageService, path: str) -> None:
    assert client.get(f"/api/models/m_007/{path}").status_code == 200
    check_problem(client.get(f"/api/models/nobody/{path}"), 404, "not-found")
