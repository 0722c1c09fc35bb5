"""Checkpoints in several files: parts with an index, repositories, archives of them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from model_heritage_backend.errors import HeritageError, InvalidWeights
from model_heritage_backend.fingerprints import fingerprint_weights
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.joined import parse_front_matter
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.members import RESTART_BYTES, Archive
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.zip_directory import locate_records, read_directory

RNG = np.random.default_rng(0)
TENSORS = {f"layers.{n}.weight": RNG.normal(size=(48, 32)).astype(np.float32) for n in range(6)} | {
    "norm.weight": np.ones(32, np.float32)
}
Names = list(TENSORS)


def part(number: int, count: int, suffix: str = ".safetensors") -> str:
    return f"model-{number:05}-of-{count:05}{suffix}"


def save_parts(folder: Path, *, index: bool = True, suffix: str = ".safetensors") -> None:
    places = {}
    for number in range(3):
        names = Names[number::3]
        name = part(number + 1, 3, suffix)
        if suffix == ".safetensors":
            save_file({n: TENSORS[n] for n in names}, folder / name)
        else:
            torch.save({n: torch.from_numpy(TENSORS[n]) for n in names}, folder / name)
        places |= dict.fromkeys(names, name)
    if index:
        text = json.dumps({"metadata": {"total_size": 1}, "weight_map": places})
        (folder / f"model{suffix}.index.json").write_text(text)


def pack(folder: Path, archive: Path, *, method: int = zipfile.ZIP_DEFLATED, top: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", method) as file:
        for path in sorted(folder.iterdir()):
            file.write(path, top + path.name)
    return archive


def read_all(path: Path) -> dict[str, np.ndarray]:
    with open_weights(path) as weights:
        return {
            name: tensor.read_rows(0, tensor.row_count).reshape(tensor.shape)
            for name, tensor in weights.items()
        }


def assert_read(path: Path, expected: Mapping[str, np.ndarray] = TENSORS) -> None:
    found = read_all(path)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    return place


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_parts_are_one_model(folder: Path, index: bool, suffix: str, method: int) -> None:
    save_parts(folder, index=index, suffix=suffix)
    assert_read(folder)
    assert_read(pack(folder, folder.parent / "model.zip", method=method, top="org/model/"))


def test_the_fingerprint_is_that_of_one_file(folder: Path) -> None:
    save_parts(folder)
    whole = folder.parent / "whole.safetensors"
    save_file(TENSORS, whole)
    archive = pack(folder, folder.parent / "model.zip")
    prints = []
    for path in (whole, folder, archive):
        with open_weights(path) as weights:
            prints.append(fingerprint_weights(weights, checksum="x"))
    digests = [{n: t.value_digest for n, t in found.tensors.items()} for found in prints]
    assert digests[0] == digests[1] == digests[2]
    assert len({found.structural_hash for found in prints}) == 1


def test_a_repository_is_read_once_and_keeps_its_claims(folder: Path) -> None:
    save_file(TENSORS, folder / "model.safetensors")
    torch.save({n: torch.zeros(2, 2) for n in Names}, folder / "pytorch_model.bin")
    torch.save({"state": {}}, folder / "optimizer.pt")
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text(
        "---\nlicense: apache-2.0\nbase_model:\n- org/base\n- org/other\nother: &a [*a]\n---\n# Hi"
    )
    for path in (folder, pack(folder, folder.parent / "repo.zip", top="repo/")):
        assert_read(path)
        with open_weights(path) as weights:
            assert weights.metadata["license"] == "apache-2.0"
            assert weights.metadata["base_model"] == "org/base, org/other"
            assert weights.format == "safetensors"


def test_an_adapter_claims_its_base(folder: Path) -> None:
    save_file(TENSORS, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base", "r": 8}')
    with open_weights(folder) as weights:
        assert weights.metadata == {"base_model": "org/base"}


def refuse(path: Path) -> str:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(HeritageError) as caught:
        read_all(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "nothing stays open"
    return caught.value.detail


def write_index(folder: Path, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "model.safetensors.index.json").write_text(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ([], "does not say where"),
        ({"weight_map": {}}, "does not say where"),
        ({"weight_map": {"a": 1}}, "no plain file name"),
        ({"weight_map": {"a": "../model-00001-of-00003.safetensors"}}, "no plain file name"),
        ({"weight_map": {"a": "/etc/passwd"}}, "no plain file name"),
        ({"weight_map": {"a": ".."}}, "parts are missing"),
        ({"weight_map": {"a": "gone.safetensors"}}, "'gone.safetensors'"),
        ({"weight_map": {"layers.1.weight": part(1, 3)}}, "which lacks it"),
        ({"weight_map": {"a": "model.safetensors.index.json"}}, "In 'model.safetensors.index"),
    ],
)
def test_an_index_that_lies_is_refused(folder: Path, content: object, reason: str) -> None:
    save_parts(folder)
    write_index(folder, content)
    assert reason in refuse(folder)
    assert reason in refuse(pack(folder, folder.parent / "model.zip"))


def test_missing_parts_and_several_models_are_refused(folder: Path) -> None:
    assert "None of these files holds weights" in refuse(folder)
    save_parts(folder, index=False)
    (folder / part(2, 3)).unlink()
    assert "1 of the checkpoint's 3 parts are missing" in refuse(folder)
    save_file(TENSORS, folder / "another.safetensors")
    assert "several models" in refuse(folder)


def test_one_tensor_in_two_parts_is_refused(folder: Path) -> None:
    for number in (1, 2):
        save_file({"a": TENSORS["layers.0.weight"]}, folder / part(number, 2))
    assert "Two parts hold a tensor 'a'" in refuse(folder)


def test_archives_that_lie_are_refused(folder: Path) -> None:
    save_parts(folder)
    archive = pack(folder, folder.parent / "model.zip")
    content = archive.read_bytes()
    damaged = folder.parent / "damaged.zip"
    middle = content.find(b"PK\1\2") // 2
    damaged.write_bytes(content[:middle] + bytes(64) + content[middle + 64 :])
    assert "damaged" in refuse(damaged) or "not valid" in refuse(damaged)
    two = folder.parent / "two.zip"
    with zipfile.ZipFile(two, "w") as file:
        for top in ("a/", "b/"):
            file.writestr(top + "model.safetensors", b"x")
    assert "several folders" in refuse(two)
    bomb = folder.parent / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model.safetensors", bytes(1 << 25))
    with pytest.raises(InvalidWeights, match="far more than the file's"):
        open_weights(bomb)


def test_an_archive_in_an_archive_is_not_opened(folder: Path) -> None:
    save_parts(folder)
    inner = pack(folder, folder.parent / "inner.zip")
    outer = folder.parent / "outer.zip"
    with zipfile.ZipFile(outer, "w") as file:
        file.write(inner, "model.bin")
    assert "In 'model.bin'" in refuse(outer)


@given(
    st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 60_000)), max_size=8),
    st.sampled_from([1 << 12, 1 << 17, RESTART_BYTES]),
)
def test_packed_members_are_read_anywhere(reads: list[tuple[int, int]], restart: int) -> None:
    content = MEMBER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model_heritage_backend.weights.members.RESTART_BYTES", restart)
        outer = OpenFile(packed_member())
        [record] = locate_records(
            outer, read_directory(outer, Limits()), Limits(), deflated=True
        ).values()
        member = Archive(outer).open_member(record)
        assert member.size == len(content)
        for offset, count in reads:
            count = min(count, len(content) - offset)
            assert member.read_bytes(offset, count) == content[offset : offset + count]
        outer.close()


MEMBER = RNG.integers(0, 16, 400_000, dtype=np.uint8).tobytes()


def packed_member() -> Path:
    path = Path("/tmp") / f"member-{os.getpid()}.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a.bin", MEMBER)
    return path


@pytest.mark.parametrize(
    "text",
    ["", "# Hi", "---\n: [\n---", "---\n- a\n---", "---\n" + "[" * 5000 + "\n---", "---\nlicense"],
)
def test_odd_readmes_claim_nothing(text: str) -> None:
    assert parse_front_matter(text) == {}


def test_a_single_model_with_shared_tensors_in_parts(folder: Path) -> None:
    """bf16 parts, as large models have them."""
    values = {n: torch.from_numpy(v).to(torch.bfloat16) for n, v in TENSORS.items()}
    save_torch({n: values[n] for n in Names[:3]}, folder / part(1, 2))
    save_torch({n: values[n] for n in Names[3:]}, folder / part(2, 2))
    assert_read(folder, {n: v.float().numpy() for n, v in values.items()})


def test_tied_tensors_of_an_index_are_listed_once(tmp_path: Path) -> None:
    shared = torch.ones(3, 4)
    torch.save({"wte.weight": shared, "lm_head.weight": shared}, tmp_path / "m-00001-of-00002.bin")
    torch.save({"body.weight": torch.ones(2, 2)}, tmp_path / "m-00002-of-00002.bin")
    places = dict.fromkeys(["wte.weight", "lm_head.weight"], "m-00001-of-00002.bin")
    index = {"weight_map": places | {"body.weight": "m-00002-of-00002.bin"}}
    (tmp_path / "m.bin.index.json").write_text(json.dumps(index))
    with open_weights(tmp_path) as weights:
        assert sorted(weights) == ["body.weight", "wte.weight"]
        assert weights.tied == {"lm_head.weight": "wte.weight"}
