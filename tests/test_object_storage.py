"""A server whose files are in an object storage: a real one of the S3 interface."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from model_heritage_backend.config import Settings
from model_heritage_backend.errors import Conflict, InvalidRequest, NotFound
from model_heritage_backend.models import object_blobs
from model_heritage_backend.models.blobs import DamagedFile, StorageUnavailable
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.object_blobs import OPTIONS
from model_heritage_backend.services.backups import check_data, make_backup
from tests.databases import make_settings, sqlite_only
from tests.s3_server import BUCKET, S3Server
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_edges,
    list_files,
    list_models,
    upload,
)

FAMILY = ("base", "noisy", "noisy-rotated")
NOTHING: dict[str, list[str]] = {"staging": [], "blobs": []}


@pytest.fixture
def settings(s3: S3Server, tmp_path: Path, plain_environment: None) -> Settings:
    url = f"s3://{BUCKET}/{tmp_path.name}/files"
    return make_settings(tmp_path / "uploads", storage_url=url)


@pytest.fixture
def bucket(s3: S3Server, tmp_path: Path) -> Bucket:
    return Bucket(s3, f"{tmp_path.name}/files")


class Bucket:
    """What lies in the storage, seen without the program."""

    def __init__(self, server: S3Server, prefix: str) -> None:
        self._client = server.connect()
        self._prefix = prefix

    def _name(self, checksum: str) -> dict[str, str]:
        return {"Bucket": BUCKET, "Key": f"{self._prefix}/{checksum}"}

    def get(self, checksum: str) -> bytes | None:
        try:
            content: bytes = self._client.get_object(**self._name(checksum))["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        return content

    def put(self, checksum: str, content: bytes) -> None:
        self._client.put_object(**self._name(checksum), Body=content)

    def delete(self, checksum: str) -> None:
        self._client.delete_object(**self._name(checksum))


def hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_family_is_the_same_as_in_a_folder(
    client: FlaskClient,
    make_app: MakeApp,
    settings: Settings,
    bucket: Bucket,
    zoo_family: Zoo,
) -> None:
    paths = {name: zoo_family.path(name) for name in FAMILY}
    for name, path in paths.items():
        assert upload(client, path, name=name).status_code == 201
    assert list_files(settings.data_dir) == NOTHING
    for path in paths.values():
        assert bucket.get(hash_file(path)) == path.read_bytes()

    content = paths["base"].read_bytes()
    url = list_models(client)["base"]["weights_uri"]
    with client.get(url) as whole, client.get(url, headers={"Range": "bytes=9-19"}) as part:
        assert whole.data == content
        assert (part.status_code, part.data) == (206, content[9:20])
    assert client.get("/api/ready").get_json()["checks"]["storage"] == "ok"

    # Without what is on this machine's disk it solves the same again.
    edges = list_edges(client)
    again = make_app(cache_distances=False).test_client()
    shutil.rmtree(settings.data_dir / "cache")
    (settings.data_dir / "cache").mkdir()
    family = list_models(again)["base"]["family_id"]
    assert again.post(f"/api/families/{family}/tree/rebuild").status_code == 200
    assert list_edges(again) == edges
    elsewhere = make_app(storage_url=None)
    with pytest.raises(NotFound):
        get_service(elsewhere).sound_files.open(hash_file(paths["base"]), whole=True)


def test_deleted_it_is_gone_everywhere(
    client: FlaskClient, settings: Settings, bucket: Bucket, zoo_family: Zoo
) -> None:
    path = zoo_family.path("base")
    model = upload(client, path).get_json()["model"]
    check_problem(upload(client, path), 409, "duplicate-model")
    assert bucket.get(model["checksum"]) is not None
    assert client.delete(f"/api/models/{model['id']}").status_code in (200, 204)
    assert bucket.get(model["checksum"]) is None
    assert list((settings.data_dir / "cache").iterdir()) == []
    assert list_files(settings.data_dir) == NOTHING


def test_refused_after_sending_nothing_is_left(
    client: FlaskClient,
    settings: Settings,
    bucket: Bucket,
    zoo_family: Zoo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = zoo_family.path("base")

    def fail(*_: Any) -> None:
        raise Conflict("no")

    monkeypatch.setattr(get_service(client.application).lake, "add", fail)
    check_problem(upload(client, path), 409, "conflict")
    assert bucket.get(hash_file(path)) is None
    assert list_files(settings.data_dir) == NOTHING


def test_the_end_of_the_process_leaves_nothing(
    make_app: MakeApp, settings: Settings, bucket: Bucket, zoo_family: Zoo
) -> None:
    app = make_app()
    kept = upload(app.test_client(), zoo_family.path("base")).get_json()["model"]["checksum"]
    files, path = get_service(app).files, zoo_family.path("noisy")
    # Sent, and marked, but never committed; another was committed, and its mark is still there.
    with path.open("rb") as source:
        staged = files.receive(source.read)
    files.mark(staged.checksum)
    files.blobs.send(staged.path, staged.checksum)
    files.mark(kept)
    make_app()
    assert bucket.get(hash_file(path)) is None
    assert bucket.get(kept) is not None
    assert list_files(settings.data_dir) == NOTHING


def test_equal_files_at_once_are_one(
    client: FlaskClient, bucket: Bucket, zoo_family: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion while the same bytes are on their way does not take them along."""
    path = zoo_family.path("base")
    files: FileStore = get_service(client.application).files
    publish = files.publish

    def remove_and_publish(*args: Any, **options: Any) -> None:
        files.blobs.remove(hash_file(path))
        publish(*args, **options)

    monkeypatch.setattr(files, "publish", remove_and_publish)
    assert upload(client, path).status_code == 201
    assert bucket.get(hash_file(path)) == path.read_bytes()


def test_rot_is_found_and_put_right(client: FlaskClient, bucket: Bucket, zoo_family: Zoo) -> None:
    path = zoo_family.path("base")
    checksum, content = hash_file(path), path.read_bytes()
    url = upload(client, path).get_json()["model"]["weights_uri"]
    service = get_service(client.application)
    assert service.upkeep.scrub() == 0
    bucket.put(checksum, content[:-1] + bytes([content[-1] ^ 1]))
    assert service.upkeep.scrub() == 1
    check_problem(client.get(url), 404, "file-damaged")
    with pytest.raises(DamagedFile):
        service.sound_files.open(checksum, whole=True)
    problem = check_problem(upload(client, path), 409, "duplicate-model")
    assert "put right" in problem["detail"]
    assert client.get(url).data == content
    bucket.delete(checksum)
    check_problem(client.get(url), 404, "not-found")
    assert "put right" in upload(client, path).get_json()["detail"]
    assert bucket.get(checksum) == content


@sqlite_only
def test_backups_say_what_they_leave_out(
    client: FlaskClient, settings: Settings, tmp_path: Path, zoo_family: Zoo
) -> None:
    assert upload(client, zoo_family.path("base")).status_code == 201
    files = get_service(client.application).files
    report = make_backup(
        settings.data_dir, tmp_path / "saved", advance=lambda _: None, blobs=files.blobs
    )
    assert (report.files, report.problems) == (0, [])
    assert "object storage" in report.note
    found = check_data(settings.data_dir, quick=False, advance=lambda _: None, blobs=files.blobs)
    assert (found.files, found.problems) == (1, [])
    files.blobs.remove(hash_file(zoo_family.path("base")))
    for quick in (True, False):
        found = check_data(
            settings.data_dir, quick=quick, advance=lambda _: None, blobs=files.blobs
        )
        assert "missing" in found.problems[0]


def test_without_the_storage_uploads_are_refused_and_pages_answer(
    make_app: MakeApp,
    settings: Settings,
    zoo_family: Zoo,
    monkeypatch: pytest.MonkeyPatch,
    s3: S3Server,
    bucket: Bucket,
) -> None:
    monkeypatch.setattr(object_blobs, "TRIES", 1)
    monkeypatch.setitem(OPTIONS, "read_timeout", 1)
    monkeypatch.setitem(OPTIONS, "retries", {"total_max_attempts": 1, "mode": "standard"})
    client = make_app().test_client()
    gone = upload(client, zoo_family.path("rotated")).get_json()["model"]
    base = upload(client, zoo_family.path("base"), name="base")
    url = base.get_json()["model"]["weights_uri"]
    with s3.paused():
        problem = check_problem(
            upload(client, zoo_family.path("noisy")), 503, "storage-unavailable"
        )
        assert str(s3.url) not in problem["detail"]
        check_problem(client.get(url), 503, "storage-unavailable")
        assert client.delete(f"/api/models/{gone['id']}").status_code in (200, 204)
        ready = check_problem(client.get("/api/ready"), 503, "not-ready")
        assert ready["failing"] == ["storage"]
        assert list(list_models(client)) == ["base"]
    assert list_files(settings.data_dir)["blobs"] == []
    assert upload(client, zoo_family.path("noisy")).status_code == 201
    # What could not be removed is removed at the next start.
    assert list_files(settings.data_dir)["staging"] == [gone["checksum"]]
    make_app()
    assert bucket.get(gone["checksum"]) is None
    assert list_files(settings.data_dir) == NOTHING


def test_settings_are_checked(make_app: MakeApp, tmp_path: Path) -> None:
    for url in ("s3://", "gs://lake", "s3://LAKE", "s3://lake/a?b", "/lake"):
        with pytest.raises(InvalidRequest, match="storage_url"):
            make_settings(tmp_path / "uploads", storage_url=url)
    with pytest.raises(StorageUnavailable):
        make_app(storage_url="s3://nobody-made-it")
