from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.zoo import Zoo
from tests.served import (
    MakeApp,
    check_problem,
    get_service,
    list_files,
    list_models,
    upload,
)


def test_only_safetensors(make_app: MakeApp, zoo_family: Zoo, tmp_path: Path) -> None:
    client = make_app(force_safetensors=True).test_client()
    other = tmp_path / "base.pt"
    torch.save(load_file(zoo_family.path("base")), other)
    problem = check_problem(upload(client, other), 415, "unsupported-format")
    assert "model-heritage convert" in problem["detail"]
    assert upload(client, zoo_family.path("base")).status_code == 201


def test_no_family_grows_beyond_its_limit(
    make_app: MakeApp, zoo_family: Zoo, strangers: list[Path]
) -> None:
    """Also when its members come at the same time."""
    app = make_app(max_family_size=2)
    service = get_service(app)

    def send(path: Path) -> int:
        return upload(app.test_client(), path).status_code

    upload(app.test_client(), zoo_family.path("base"), name="base")
    names = [name for name in zoo_family.ids if name not in ("base", "noisy-copy")][:4]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(send, [zoo_family.path(name) for name in names]))
    assert sorted(statuses) == [201, 409, 409, 409]
    client = app.test_client()
    assert len(list_models(client)) == 2
    refused = upload(client, zoo_family.path(names[statuses.index(409)]))
    problem = check_problem(refused, 409, "family-full")
    assert "family of 2" in problem["detail"]
    assert list_files(service.files.data_dir)["staging"] == []
    assert len(list_files(service.files.data_dir)["blobs"]) == 2
    assert send(strangers[0]) == 201
    # When one is gone, there is room again.
    client.delete(f"/api/models/{list_models(client)['base']['id']}")
    assert send(zoo_family.path("base")) == 201
