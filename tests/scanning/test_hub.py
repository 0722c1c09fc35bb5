"""The Hugging Face hub's cache: names as people know them, every blob once."""

from __future__ import annotations

from pathlib import Path

from model_heritage_backend.scanning.discovery import Found, find_checkpoints

OLD, NEW = "0" * 40, "1" * 40


def add(hub: Path, repository: str, revision: str, **files: str) -> None:
    """Files of a revision, each as a link to the blob of this content."""
    place = hub / f"models--{repository.replace('/', '--')}"
    for name, content in files.items():
        blob = place / "blobs" / f"digest-of-{content}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_text(content)
        link = place / "snapshots" / revision / name.replace("_", ".")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path("..", "..", "blobs", blob.name))


def show(found: Found) -> list[str]:
    return sorted(file.shown for file in found.files)


def test_names(tmp_path: Path) -> None:
    add(tmp_path, "org/one", OLD, model_safetensors="a", config_json="{}")
    add(tmp_path, "lonely", OLD, model_safetensors="b")
    add(tmp_path, "org/two", OLD, model_safetensors="c", other_safetensors="d")
    add(tmp_path, "org/three", OLD, model_safetensors="e")
    add(tmp_path, "org/three", NEW, model_safetensors="f")
    found = find_checkpoints(tmp_path)
    assert show(found) == [
        "lonely",
        "org/one",
        "org/three@00000000",
        "org/three@11111111",
        "org/two/model.safetensors",
        "org/two/other.safetensors",
    ]
    assert found.links_out == ()


def test_a_blob_of_two_revisions_is_read_once(tmp_path: Path) -> None:
    add(tmp_path, "org/one", OLD, model_safetensors="a")
    add(tmp_path, "org/one", NEW, model_safetensors="a")
    assert show(find_checkpoints(tmp_path)) == ["org/one"]


def test_parts_shared_by_two_revisions(tmp_path: Path) -> None:
    parts = {f"model-0000{n}-of-00002_safetensors": f"part {n}" for n in (1, 2)}
    add(tmp_path, "org/big", OLD, **parts)
    add(tmp_path, "org/big", NEW, **{**parts, "model-00002-of-00002_safetensors": "changed part"})
    found = find_checkpoints(tmp_path)
    assert show(found) == ["org/big@00000000", "org/big@11111111"]
    assert [file.size for file in found.files] == [12, 18]


def test_within_the_folder_of_one_model_links_are_followed_when_asked(tmp_path: Path) -> None:
    add(tmp_path, "org/one", OLD, model_safetensors="a")
    snapshot = tmp_path / "models--org--one" / "snapshots" / OLD
    assert show(find_checkpoints(snapshot, follow_hub=True)) == ["org/one"]
    assert find_checkpoints(snapshot).links_out == ("model.safetensors",)
    (snapshot / "escape.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    (tmp_path / "elsewhere.safetensors").write_text("x")
    found = find_checkpoints(snapshot, follow_hub=True)
    assert found.links_out == ("escape.safetensors",)


def test_names_that_two_files_would_share_are_paths(tmp_path: Path) -> None:
    for hub in ("first", "second"):
        add(tmp_path / hub, "org/one", OLD, model_safetensors=hub)
    assert show(find_checkpoints(tmp_path)) == [
        f"{hub}/models--org--one/snapshots/{OLD}/model.safetensors" for hub in ("first", "second")
    ]
