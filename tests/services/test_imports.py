from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from safetensors.numpy import save_file

from benchmarks.scale.synthetic import Breeder
from benchmarks.zoo import Zoo
from model_heritage_backend.errors import InsufficientStorage
from model_heritage_backend.scanning.discovery import Found, find_checkpoints
from model_heritage_backend.services.access import Role
from model_heritage_backend.services.heritage_service import HeritageService
from tests.clustering.synthetic import draw_structures
from tests.routes.signing import bear
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_edges,
    list_files,
    list_models,
    sign,
    upload,
    wait_for_jobs,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def client(make_app: MakeApp, root: Path) -> FlaskClient:
    return make_app(import_roots=(root,)).test_client()


@pytest.fixture
def service(client: FlaskClient) -> HeritageService:
    return get_service(client.application)


def ask(client: FlaskClient, folder: Path | str) -> Any:
    return client.post("/api/imports", json={"folder": str(folder)})


def run(client: FlaskClient, folder: Path) -> dict[str, Any]:
    """Import a folder; the job when it and the models' own jobs are over."""
    answer = ask(client, folder)
    assert answer.status_code == 202, answer.get_json()
    job_id = answer.get_json()["job_id"]
    assert answer.headers["Location"] == f"/api/jobs/{job_id}"
    deadline = time.monotonic() + 120
    while client.get(f"/api/jobs/{job_id}").get_json()["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    wait_for_jobs(client)
    job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").get_json()
    return job


def test_a_folder_is_taken_in(
    client: FlaskClient, service: HeritageService, root: Path, zoo_family: Zoo
) -> None:
    for name in ("base", "noisy"):
        place = root / name
        place.mkdir()
        shutil.copy(zoo_family.path(name), place / f"model{zoo_family.path(name).suffix}")
    shutil.copy(zoo_family.path("base"), root / "same.safetensors")
    (root / "broken.pt").write_bytes(b"\x80\x02nothing")
    (root / "notes.txt").write_text("no checkpoint")
    job = run(client, root)
    assert job["state"] == "done", job["error"]
    result = job["result"]
    assert [result[k] for k in ("files", "stored", "duplicates", "unreadable")] == [4, 2, 1, 1]
    (error,) = result["errors"]
    assert (error["path"], error["type"]) == ("broken.pt", "unsupported-format")
    assert job["parameters"]["folder"] == str(root)
    models = list_models(client)
    assert set(models) == {"base/model", "noisy/model"}
    assert {model["status"] for model in models.values()} == {"ok"}
    assert set(list_edges(client)) == {("base/model", "noisy/model")}
    stored = (service.files.data_dir / "blobs" / models["noisy/model"]["checksum"]).read_bytes()
    assert stored == zoo_family.path("noisy").read_bytes()
    # Once more: nothing is left to do, and the files are read once only.
    again = run(client, root)["result"]
    assert (again["stored"], again["duplicates"]) == (0, 3)
    assert list_files(service.files.data_dir)["staging"] == []


def test_models_are_whose_import_it_is(make_app: MakeApp, root: Path, zoo_family: Zoo) -> None:
    app = make_app(import_roots=(root,), access="token")
    shutil.copy(zoo_family.path("base"), root / "base.safetensors")
    row, text = get_service(app).access.create("an admin", Role.ADMIN, days=1)
    client = sign(app.test_client(), bear(text))
    assert run(client, root)["result"]["stored"] == 1
    [owner] = client.get("/api/owners").get_json()["owners"]
    assert (owner["id"], owner["models"]) == (row.id, 1)


def test_an_uploaded_file_is_known(client: FlaskClient, root: Path, zoo_family: Zoo) -> None:
    upload(client, zoo_family.path("base"))
    shutil.copy(zoo_family.path("base"), root / "base.safetensors")
    assert run(client, root)["result"]["duplicates"] == 1


def test_parts_are_one_model(client: FlaskClient, root: Path) -> None:
    folder = root / "large"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in (1, 2):
        tensors = {f"layer{number}.weight": rng.normal(size=(32, 32)).astype(np.float32)}
        save_file(tensors, folder / f"model-0000{number}-of-00002.safetensors")
    (folder / "README.md").write_text("---\nbase_model: someone/base\n---\n")
    assert run(client, root)["result"]["stored"] == 1
    (model,) = list_models(client).values()
    assert (model["name"], model["filename"], model["layer_count"]) == ("large", "model.zip", 2)
    assert run(client, root)["result"]["duplicates"] == 1
    # Asked for by its own path, it is the same.
    assert run(client, folder)["result"]["duplicates"] == 1


def test_importing_is_off_unless_set(make_app: MakeApp, root: Path) -> None:
    client = make_app().test_client()
    problem = check_problem(ask(client, root), 403, "import-not-allowed")
    assert "MODEL_HERITAGE_IMPORT_ROOTS" in problem["detail"]


def test_only_what_lies_below_a_root(client: FlaskClient, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root.parent / "shelf-2").mkdir()
    for folder in (outside, root / "link", root.parent, "/", "/nowhere", root.parent / "shelf-2"):
        problem = check_problem(ask(client, folder), 403, "import-not-allowed")
        assert str(outside) not in problem["detail"]
    check_problem(ask(client, root / "nothing"), 404, "not-found")
    check_problem(ask(client, root / ("x" * 300)), 404, "not-found")
    (root / "file").touch()
    check_problem(ask(client, root / "file"), 404, "not-found")
    (root / "inside").mkdir()
    (root / "link-inside").symlink_to(root / "inside", target_is_directory=True)
    assert run(client, root / "link-inside")["result"]["files"] == 0


@pytest.mark.parametrize(
    "folder", ["", "relative", "~", "..", "{root}/../shelf", "{root}/a\0b", "{root}/\ud800", 5]
)
def test_bad_paths(client: FlaskClient, root: Path, folder: Any) -> None:
    if isinstance(folder, str):
        folder = folder.replace("{root}", str(root))
    answer = client.post("/api/imports", json={"folder": folder})
    check_problem(answer, 400, "invalid-request")


def test_links_that_lead_out_are_left_out(client: FlaskClient, root: Path, zoo_family: Zoo) -> None:
    (root / "out.safetensors").symlink_to(zoo_family.path("base"))
    result = run(client, root)["result"]
    assert (result["files"], result["links_out"]) == (0, ["out.safetensors"])


def test_a_file_that_becomes_a_link_is_not_followed(
    client: FlaskClient, root: Path, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = root / "base.safetensors"
    shutil.copy(zoo_family.path("base"), path)

    def find_and_swap(folder: Path) -> Found:
        found = find_checkpoints(folder)
        path.unlink()
        path.symlink_to(zoo_family.path("base"))
        return found

    monkeypatch.setattr("model_heritage_backend.services.imports.find_checkpoints", find_and_swap)
    result = run(client, root)["result"]
    assert (result["stored"], result["unreadable"]) == (0, 1)
    assert "plain file" in result["errors"][0]["detail"]


def test_odd_names(client: FlaskClient, root: Path, zoo_family: Zoo) -> None:
    name = os.fsdecode(b"a\n\xe9<b>.safetensors")
    shutil.copy(zoo_family.path("base"), root / name)
    assert run(client, root)["result"]["stored"] == 1
    assert set(list_models(client)) == {"a\ufffd\ufffd<b>"}


def test_a_full_disk_is_nobodys_file(
    client: FlaskClient,
    service: HeritageService,
    root: Path,
    zoo_family: Zoo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service._executor._lanes["files"], "_pauses", (0.01,))
    shutil.copy(zoo_family.path("base"), root / "base.safetensors")

    def refuse(**_: Any) -> Any:
        raise InsufficientStorage("There is no room left.")

    monkeypatch.setattr(service.files, "stage", refuse)
    job = run(client, root)
    assert (job["state"], job["attempts"], job["error"]) == ("failed", 3, "There is no room left.")
    monkeypatch.undo()
    client.post(f"/api/jobs/{job['id']}/retry")
    wait_for_jobs(client)
    assert client.get(f"/api/jobs/{job['id']}").get_json()["result"]["stored"] == 1


def test_uploads_do_not_wait_for_an_import(
    client: FlaskClient,
    service: HeritageService,
    root: Path,
    zoo_family: Zoo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(zoo_family.path("noisy"), root / "noisy.safetensors")
    begun, go_on = threading.Event(), threading.Event()
    take_in = service.imports._take_in

    def wait(*values: Any, **options: Any) -> object:
        begun.set()
        go_on.wait(10)
        return take_in(*values, **options)

    monkeypatch.setattr(service.imports, "_take_in", wait)
    job_id = ask(client, root).get_json()["job_id"]
    assert begun.wait(10)
    assert upload(client, zoo_family.path("base"), name="base").status_code == 201
    job = client.get(f"/api/jobs/{job_id}").get_json()
    assert job["state"] == "running"
    go_on.set()
    wait_for_jobs(client)
    assert set(list_edges(client)) == {("base", "noisy")}


def test_a_crowd_gets_its_places_together(
    client: FlaskClient, service: HeritageService, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved = []
    replace = service.management.process_new_models
    monkeypatch.setattr(
        service.management,
        "process_new_models",
        lambda ids: (solved.append(len(ids)), replace(ids)),
    )
    for family in range(3):
        folder = root / str(family)
        folder.mkdir()
        for born in Breeder(draw_structures(1)[0], family).grow(10):
            save_file(born.weights, folder / f"{born.place}.safetensors")
    with service._executor.paused():
        job_id = ask(client, root).get_json()["job_id"]
        deadline = time.monotonic() + 120
        while client.get(f"/api/jobs/{job_id}").get_json()["state"] != "done":
            assert time.monotonic() < deadline
            time.sleep(0.05)
    wait_for_jobs(client)
    stored = client.get(f"/api/jobs/{job_id}").get_json()["result"]["stored"]
    assert solved == [stored]
    models = list_models(client).values()
    assert {model["status"] for model in models} == {"ok"}
    families = {model["family_id"]: model["name"][0] for model in models}
    assert sorted(families.values()) == ["0", "1", "2"]
    before = list_edges(client)
    service.recluster(force=True)
    wait_for_jobs(client)
    assert list_edges(client) == before
