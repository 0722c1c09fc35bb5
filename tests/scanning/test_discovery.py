"""What is found below a folder, and what is not."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_heritage_backend.scanning.discovery import find_checkpoints, show_path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_finds_checkpoints_by_ending_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.pt", "a/z.SafeTensors", "a/b/c.pth", "a.bin", "notes.txt", "config.json")
    touch(tmp_path, ".hidden.pt", ".cache/x.pt", "a/.git/y.pt", "pt", "a-b.pt")
    found = find_checkpoints(tmp_path)
    assert [file.shown for file in found.files] == [
        "a/b/c.pth",
        "a/z.SafeTensors",
        "a-b.pt",
        "a.bin",
        "b.pt",
    ]
    assert found.files[0].size == len("a/b/c.pth")
    assert found.links_out == ()


def test_a_hidden_folder_can_be_scanned_itself(tmp_path: Path) -> None:
    touch(tmp_path, ".cache/x.pt")
    assert [f.shown for f in find_checkpoints(tmp_path / ".cache").files] == ["x.pt"]


def test_links_are_safe(tmp_path: Path) -> None:
    touch(tmp_path, "outside.pt", "outside/x.pt", "lake/real.pt", "lake/blobs/0123", "lake/d/e.pt")
    lake = tmp_path / "lake"
    (lake / "loop").symlink_to(lake, target_is_directory=True)
    (lake / "out").symlink_to(tmp_path / "outside", target_is_directory=True)
    (lake / "escape.pt").symlink_to(tmp_path / "outside.pt")
    (lake / "broken.pt").symlink_to(lake / "none.pt")
    (lake / "self.pt").symlink_to(lake / "self.pt")
    (lake / "again.pt").symlink_to(lake / "real.pt")
    (lake / "named.safetensors").symlink_to(lake / "blobs/0123")
    (lake / "named-again.safetensors").symlink_to(lake / "blobs/0123")
    (lake / "folder.pt").mkdir()

    found = find_checkpoints(lake)

    assert [f.shown for f in found.files] == ["d/e.pt", "named-again.safetensors", "real.pt"]
    assert sorted(found.links_out) == ["broken.pt", "escape.pt", "self.pt"]


def test_pipes_are_no_checkpoints(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert find_checkpoints(tmp_path).files == ()


def test_folders_that_may_not_be_listed_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.pt", "mine/b.pt", "theirs/c.pt")
    original = os.scandir

    def refuse(folder: str) -> Any:
        if str(folder).endswith("theirs"):
            raise PermissionError(13, "Permission denied", str(folder))
        return original(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_checkpoints(tmp_path)
    assert [file.shown for file in found.files] == ["a.pt", "mine/b.pt"]
    assert found.closed == ("theirs",)


def test_names_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.pt")
    path.write_bytes(b"x")
    (file,) = find_checkpoints(tmp_path).files
    assert file.path.read_bytes() == b"x"
    assert file.shown == "caf\N{REPLACEMENT CHARACTER}.pt"
    assert show_path(Path("a/é.pt")) == "a/é.pt"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    names=st.sets(st.sampled_from([f"{a}/{b}{c}.pt" for a in "xy" for b in "abc" for c in "-1_"]))
)
def test_the_order_is_that_of_paths(tmp_path: Path, names: set[str]) -> None:
    folder = tmp_path / str(abs(hash(frozenset(names))))
    folder.mkdir(exist_ok=True)
    touch(folder, *names)
    shown = [file.shown for file in find_checkpoints(folder).files]
    assert shown == sorted(names)


def test_parts_of_one_model_are_found_as_their_folder(tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    for folder, numbers in ((whole, (1, 2)), (torn, (1,))):
        folder.mkdir()
        for number in numbers:
            (folder / f"model-0000{number}-of-00002.safetensors").write_bytes(bytes(number))
    (tmp_path / "alone.safetensors").write_bytes(b"x")
    found = find_checkpoints(tmp_path).files
    assert [(file.shown, file.size) for file in found] == [
        ("alone.safetensors", 1),
        ("torn/model-00001-of-00002.safetensors", 1),
        ("whole", 3),
    ]


def test_a_model_in_two_formats_is_read_in_the_better_one(tmp_path: Path) -> None:
    touch(tmp_path, *(f"repo/model-0000{n}-of-00002.safetensors" for n in (1, 2)))
    touch(tmp_path, *(f"repo/pytorch_model-0000{n}-of-00002.bin" for n in (1, 2)))
    found = find_checkpoints(tmp_path)
    assert [file.shown for file in found.files] == ["repo"]
    assert found.repeated == tuple(f"repo/pytorch_model-0000{n}-of-00002.bin" for n in (1, 2))


def test_archives_of_models_and_others(tmp_path: Path) -> None:
    for name, inside in (("model.zip", "model.safetensors"), ("photos.ZIP", "beach.jpg")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, b"x")
    touch(tmp_path, "broken.zip")
    assert [file.shown for file in find_checkpoints(tmp_path).files] == ["model.zip"]
