from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text, update

from benchmarks.zoo import Zoo
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.tables import FingerprintRow
from model_heritage_backend.services.heritage_service import HeritageService
from model_heritage_backend.services.texts import check_text
from tests.databases import ON_POSTGRES
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_edges,
    list_files,
    list_models,
    upload,
    wait_for_jobs,
)


def forbid(service: HeritageService, what: str, table: str, *, when: str = "1 = 1") -> None:
    """The database refuses something from now on, as it would when it is damaged or full."""
    if ON_POSTGRES:
        statements = [
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {when} THEN RAISE EXCEPTION integrity_constraint_violation; END IF;"
            " RETURN NEW; END $$",
            f"CREATE TRIGGER forbidden BEFORE {what} ON {table} EXECUTE FUNCTION refuse()",
        ]
    else:
        statements = [
            f"CREATE TRIGGER forbidden BEFORE {what} ON {table} WHEN {when} "
            "BEGIN SELECT RAISE(ABORT, 'no'); END"
        ]
    with service._database.write() as session:
        for statement in statements:
            session.execute(text(statement))


def allow(service: HeritageService) -> None:
    with service._database.write() as session:
        drop = "DROP FUNCTION refuse() CASCADE" if ON_POSTGRES else "DROP TRIGGER forbidden"
        session.execute(text(drop))


def test_a_failed_transaction_leaves_no_trace(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    forbid(service, "INSERT", "jobs")
    check_problem(upload(client, zoo_family.path("base")), 500, "internal-error")
    assert list_files(service.files.data_dir) == {"staging": [], "blobs": []}
    assert list_models(client) == {}
    allow(service)
    assert upload(client, zoo_family.path("base")).status_code == 201


def test_two_checksums_that_begin_alike(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    upload(client, zoo_family.path("base"), name="base")
    digest = hashlib.sha256(zoo_family.path("noisy").read_bytes()).hexdigest()
    with service._database.write() as session:
        session.execute(
            text(
                "SET LOCAL session_replication_role = replica"
                if ON_POSTGRES
                else "PRAGMA defer_foreign_keys=ON"
            )
        )
        for table, column in (
            ("models", "id"),
            ("fingerprints", "model_id"),
            ("matrix_shapes", "model_id"),
            ("declarations", "model_id"),
            ("routes", "model_id"),
        ):
            session.execute(text(f"UPDATE {table} SET {column} = 'm_{digest[:16]}'"))
    problem = check_problem(upload(client, zoo_family.path("noisy")), 409, "conflict")
    assert "begins like" in problem["detail"]
    assert len(list_files(service.files.data_dir)["blobs"]) == 1


def test_a_model_that_cannot_be_placed_is_kept_and_does_not_disturb_others(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    upload(client, zoo_family.path("base"), name="base")
    forbid(service, "UPDATE", "families")
    answer = upload(client, zoo_family.path("noisy"), name="noisy")
    assert answer.status_code == 201
    body = answer.get_json()
    assert body["status"] == body["model"]["status"] == "error"
    assert "could not be placed" in body["message"]
    assert client.get(f"/api/jobs/{body['job_id']}").get_json()["state"] == "failed"
    allow(service)
    with service._database.read() as session:
        assert not session.get_one(FingerprintRow, body["model_id"]).admitted
    assert upload(client, zoo_family.path("rotated"), name="rotated").status_code == 201
    assert set(list_edges(client)) == {("base", "rotated")}
    again = client.post(f"/api/models/{body['model_id']}/reprocess").get_json()
    assert (again["status"], again["model"]["error"]) == ("ok", None)
    assert set(list_edges(client)) == {("base", "rotated"), ("base", "noisy")}


def test_unfinished_uploads_are_placed_after_a_restart(make_app: MakeApp, zoo_family: Zoo) -> None:
    app = make_app()
    client = app.test_client()
    upload(client, zoo_family.path("base"), name="base")
    service = get_service(app)
    with service._executor.paused():
        for name in ("noisy", "rotated"):
            answer = upload(
                client, zoo_family.path(name), name=name, headers={"Prefer": "respond-async"}
            )
            assert answer.status_code == 202
        assert {m["status"] for m in list_models(client).values()} == {"ok", "processing"}
        stopper = threading.Thread(target=service.stop)
        stopper.start()
        # Long enough for the executor to see that it shall stop.
        stopper.join(0.2)
    stopper.join(10)
    client = make_app().test_client()
    wait_for_jobs(client)
    assert {m["status"] for m in list_models(client).values()} == {"ok"}
    assert set(list_edges(client)) == {("base", "noisy"), ("base", "rotated")}


def test_a_deletion_that_was_cut_short_is_finished_after_a_restart(
    make_app: MakeApp, zoo_family: Zoo
) -> None:
    app = make_app()
    client = app.test_client()
    for name in ("base", "noisy-odd"):
        upload(client, zoo_family.path(name), name=name)
    expected = list_edges(client)
    upload(client, zoo_family.path("noisy"), name="noisy")
    noisy = list_models(client)["noisy"]
    # What ``delete`` has done when the process dies right after the row is gone.
    service = get_service(app)
    service.job_queue.add("rebuild", model_id=noisy["id"], family_id=noisy["family_id"])
    service.files.mark(noisy["checksum"])
    service.store.remove_model(noisy["id"])
    assert list_edges(client) == {}
    app = make_app()
    client = app.test_client()
    wait_for_jobs(client)
    assert list_edges(client) == expected
    assert noisy["checksum"] not in list_files(get_service(app).files.data_dir)["blobs"]


def test_a_deletion_that_fails_is_made_up_for(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    for name in ("base", "noisy-odd"):
        upload(client, zoo_family.path(name), name=name)
    expected = list_edges(client)
    upload(client, zoo_family.path("noisy"), name="noisy")
    noisy = list_models(client)["noisy"]
    # Only the deletion itself, not the job that makes up for it, cannot write the new tree.
    running = "SELECT * FROM jobs WHERE state = 'running'"
    forbid(service, "UPDATE", "families", when=f"NOT EXISTS ({running})")
    check_problem(client.delete(f"/api/models/{noisy['id']}"), 500, "internal-error")
    jobs = wait_for_jobs(client)
    assert (jobs[0]["kind"], jobs[0]["state"]) == ("rebuild", "done")
    assert list_edges(client) == expected
    assert noisy["checksum"] not in list_files(service.files.data_dir)["blobs"]


def test_fingerprints_of_an_older_version_are_renewed(
    client: FlaskClient, service: HeritageService, zoo_family: Zoo
) -> None:
    model_id = upload(client, zoo_family.path("base")).get_json()["model_id"]
    with service._database.write() as session:
        session.execute(update(FingerprintRow).values(version=0, data=b"old"))
    assert client.post(f"/api/models/{model_id}/reprocess").get_json()["status"] == "ok"
    with service._database.read() as session:
        assert session.get_one(FingerprintRow, model_id).data != b"old"


def test_the_same_file_at_the_same_time_is_stored_once(app: APIFlask, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")

    def send(number: int) -> tuple[int, str]:
        answer = upload(app.test_client(), path, name=f"copy {number}")
        body = answer.get_json()
        return answer.status_code, body.get("model_id") or body["existing_id"]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 5
    assert len({model_id for _, model_id in answers}) == 1
    assert len(list_models(app.test_client())) == 1
    assert list_files(get_service(app).files.data_dir) == {
        "staging": [],
        "blobs": [hashlib.sha256(path.read_bytes()).hexdigest()],
    }


def test_uploads_at_the_same_time_give_the_same_family(
    app: APIFlask, full_client: FlaskClient, zoo_family: Zoo
) -> None:
    def send(name: str) -> int:
        return upload(app.test_client(), zoo_family.path(name), name=name).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, zoo_family.ids)) == {201}
    assert list_edges(app.test_client()) == list_edges(full_client)


@pytest.mark.parametrize(
    ("value", "lines", "ok"),
    [
        ("plain", False, True),
        ("Ünïcödé ☃", False, True),
        ("a\nb", False, False),
        ("a\nb\tc", True, True),
        ("a\x00", True, False),
        ("a\x7f", False, False),
        ("\ud800", False, False),
        ("x" * 11, False, False),
    ],
)
def test_texts(value: str, lines: bool, ok: bool) -> None:
    if ok:
        assert check_text("name", f" {value} ", 10, lines=lines) == value
    else:
        with pytest.raises(InvalidRequest, match="name"):
            check_text("name", value, 10, lines=lines)


def test_file_names_lose_their_folders(
    client: FlaskClient, zoo_family: Zoo, tmp_path: Path
) -> None:
    content = zoo_family.path("base").read_bytes()
    answer = client.put("/api/models", data=content, query_string={"filename": "C:\\a\\../b.pt"})
    model = answer.get_json()["model"]
    assert (model["filename"], model["name"]) == ("b.pt", "b")
