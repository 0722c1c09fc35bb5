from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Response
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo
from tests.served import MakeApp, check_problem, list_models, upload


def test_reads_have_tags(full_client: FlaskClient) -> None:
    model = next(iter(list_models(full_client).values()))
    for path in (
        "/api/models?limit=3",
        f"/api/models/{model['id']}",
        f"/api/families/{model['family_id']}/tree",
        "/api/lineage/export?format=dot",
        "/api/stats",
    ):
        first = full_client.get(path)
        tag = first.headers["ETag"]
        assert tag.startswith('"')
        assert first.headers["Cache-Control"] == "no-cache"
        for sent in (tag, f'"other", W/{tag}', "*"):
            again = full_client.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == tag
            assert "Content-Type" not in again.headers
        other = full_client.get(path, headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.data) == (200, first.data)
        head = full_client.head(path)
        assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", tag)
        assert head.headers["Content-Length"] == str(len(first.data))
        unchanged = full_client.head(path, headers={"If-None-Match": tag})
        assert unchanged.status_code == 304


def test_errors_and_streams_have_none(make_app: MakeApp) -> None:
    app = make_app()

    @app.get("/api/stream")
    @app.doc(hide=True)
    def stream() -> Response:
        def count() -> Iterator[str]:
            yield from ("1", "2")

        return Response(count())

    client = app.test_client()
    missing = client.get("/api/models/m", headers={"If-None-Match": "*"})
    check_problem(missing, 404, "not-found")
    assert "ETag" not in missing.headers
    streamed = client.get("/api/stream", headers={"If-None-Match": "*"})
    assert (streamed.status_code, streamed.data) == (200, b"12")
    assert "ETag" not in streamed.headers
    check_problem(client.delete("/api/models/m", headers={"If-Match": "*"}), 404, "not-found")


def test_changes_of_what_was_seen(client: FlaskClient, zoo_family: Zoo) -> None:
    model_id = upload(client, zoo_family.path("base"), name="a").get_json()["model_id"]
    url = f"/api/models/{model_id}"
    seen = {"If-Match": client.get(url).headers["ETag"]}
    assert client.patch(url, json={"name": "b"}, headers=seen).status_code == 200
    late = client.patch(url, json={"name": "c"}, headers=seen)
    check_problem(late, 412, "precondition-failed")
    check_problem(client.delete(url, headers=seen), 412, "precondition-failed")
    assert client.get(url).get_json()["name"] == "b"
    # A weak tag says nothing about bytes; one of several is enough; * is any state.
    tag = client.get(url).headers["ETag"]
    weak = client.patch(url, json={"name": "c"}, headers={"If-Match": f"W/{tag}"})
    check_problem(weak, 412, "precondition-failed")
    several = {"If-Match": f'"other", {tag}'}
    assert client.patch(url, json={"name": "c"}, headers=several).status_code == 200
    assert client.delete(url, headers={"If-Match": "*"}).status_code == 204


def test_where_nothing_can_be_seen(client: FlaskClient, zoo_family: Zoo) -> None:
    """A condition that cannot be checked is not taken for met."""
    model_id = upload(client, zoo_family.path("base")).get_json()["model_id"]
    answer = client.post(f"/api/models/{model_id}/reprocess", headers={"If-Match": "*"})
    check_problem(answer, 412, "precondition-failed")


def test_uploads_too(client: FlaskClient, zoo_family: Zoo) -> None:
    """Only while the list is still empty."""
    empty = {"If-Match": client.get("/api/models?name=x").headers["ETag"]}
    content = [zoo_family.path(name).read_bytes() for name in ("base", "noisy")]
    assert client.put("/api/models?name=x", data=content[0], headers=empty).status_code == 201
    answer = client.put("/api/models?name=x", data=content[1], headers=empty)
    check_problem(answer, 412, "precondition-failed")
    assert len(list_models(client)) == 1


@pytest.mark.parametrize("kind", ["conditional", "plain"])
def test_one_of_many_wins(client: FlaskClient, zoo_family: Zoo, kind: str) -> None:
    """Of many who saw the same state, one changes it; those without a condition wait their turn."""
    app = client.application
    model_id = upload(client, zoo_family.path("base"), name="a").get_json()["model_id"]
    url = f"/api/models/{model_id}"
    headers = {"If-Match": client.get(url).headers["ETag"]} if kind == "conditional" else {}
    statuses: list[int] = []

    def change(number: int) -> None:
        answer = app.test_client().patch(url, json={"name": f"n{number}"}, headers=headers)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    expected = [200] + [412] * 7 if kind == "conditional" else [200] * 8
    assert sorted(statuses) == expected


def test_files_keep_their_own_tags(full_client: FlaskClient) -> None:
    model = next(iter(list_models(full_client).values()))
    url = model["weights_uri"]
    with full_client.get(url) as whole:
        assert whole.headers["ETag"] == f'"{model["checksum"]}"'
    with full_client.get(url, headers={"If-Match": '"other"'}) as answer:
        check_problem(answer, 412, "precondition-failed")
