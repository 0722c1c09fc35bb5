"""The family that everybody's tests use is what it says."""

from __future__ import annotations

from pathlib import Path

from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch

from benchmarks.zoo import Zoo


def test_every_relation_occurs_once_or_more(zoo_family: Zoo) -> None:
    relations = {edge["relation"] for edge in zoo_family.truth["edges"]}
    assert relations == {
        "finetune",
        "partial",
        "adapter",
        "merge",
        "quantized",
        "pruned",
        "cast",
        "duplicate",
    }


def test_family_is_one_tree_of_twelve(zoo_family: Zoo) -> None:
    assert len(zoo_family.paths) == len(zoo_family.truth["models"]) == 12
    children = [edge["child"] for edge in zoo_family.truth["edges"] if edge["main"]]
    assert len(children) == len(set(children)) == 11
    assert zoo_family.ids["base"] not in children


def test_merge_has_two_parents_whose_shares_add_up(zoo_family: Zoo) -> None:
    assert zoo_family.true_parents("noisy-rotated") == ["rotated", "noisy"]
    shares = [e["coefficient"] for e in zoo_family.truth["edges"] if e["relation"] == "merge"]
    assert sum(shares) == 1.0


def test_duplicate_has_the_same_values(zoo_family: Zoo) -> None:
    first = list(load_file(zoo_family.path("noisy")).values())
    second = list(load_file(zoo_family.path("noisy-copy")).values())
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_file_names_tell_nothing(zoo_family: Zoo) -> None:
    assert not any(name in path.stem for path in zoo_family.paths for name in zoo_family.ids)
    assert all(set(path.stem) <= set("0123456789abcdef") for path in zoo_family.paths)


def test_strangers_are_four_different_networks(strangers: list[Path], zoo_family: Zoo) -> None:
    assert len(set(strangers)) == 4
    base = {v.shape for v in load_torch(zoo_family.path("base")).values()}
    twin, *others = ({v.shape for v in load_torch(path).values()} for path in strangers)
    assert twin == base
    assert all(shapes != base for shapes in others)
