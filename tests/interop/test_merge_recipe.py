"""Recipes are read back by a YAML parser, hostile names included."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.errors import NotFound
from model_heritage_backend.interop.merge_recipe import (
    find_dtype,
    write_merge_recipe,
    write_merge_recipes,
)

HOSTILE = ['a"b: [', "- x\n# y", "nul\0\x85\u2028\ud800"[:-1], "it's *& {{", "\U0001f600\u202e"]
Coefficients = dict[str, float | None]


def read(
    method: str | None, parents: Coefficients, *, names: dict[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    """The recipe of "m" as a YAML parser sees it; ``fields`` are the edges' evidence."""
    base = fields.pop("base", None)
    edges = [
        Edge(
            parent=parent,
            child="m",
            main=place == 0,
            relation=Relation.MERGE if method else Relation.FINETUNE,
            confidence=0.9,
            distance=0.1,
            coefficient=coefficient,
            evidence=Evidence(
                merge_method=method, flags=("base",) if parent == base else (), **fields
            ),
        )
        for place, (parent, coefficient) in enumerate(parents.items())
    ]
    members = tuple(sorted([*parents, "m"]))
    tree = FamilyTree(
        members=members, edges=tuple(edges), root=None, root_confidence=0.0, method="heritage"
    )
    named = names or {member: member for member in members}
    recipe: dict[str, Any] = yaml.safe_load(write_merge_recipe(tree, "m", named, dtype="bfloat16"))
    return recipe


def test_linear() -> None:
    assert read("linear", {"a": 0.6, "b": 0.4}) == {
        "merge_method": "linear",
        "models": [
            {"model": "a", "parameters": {"weight": 0.6}},
            {"model": "b", "parameters": {"weight": 0.4}},
        ],
        "parameters": {"normalize": False},
        "dtype": "bfloat16",
    }


def test_slerp_turns_from_the_base() -> None:
    recipe = read("slerp", {"a": 0.7, "b": 0.3}, merge_parameters={"t": 0.3})
    assert recipe["base_model"] == "a"
    assert recipe["parameters"] == {"t": 0.3}
    assert [model["model"] for model in recipe["models"]] == ["a", "b"]


def test_task_arithmetic_leaves_the_base_out() -> None:
    recipe = read("task_arithmetic", {"c": -0.5, "a": 0.8, "b": 0.7}, base="c")
    assert recipe["base_model"] == "c"
    assert [m["parameters"]["weight"] for m in recipe["models"]] == [0.8, 0.7]
    assert recipe["parameters"] == {"normalize": False}


def test_ties() -> None:
    parameters = {"density": 0.25, "lambda": 1.1, "normalize": 1.0, "weight": 1.0}
    recipe = read("ties", {"c": None, "a": None}, base="c", merge_parameters=parameters)
    assert recipe["models"] == [{"model": "a", "parameters": {"weight": 1.0, "density": 0.25}}]
    assert recipe["parameters"] == {"normalize": True, "lambda": 1.1}


def test_dare_of_a_small_share() -> None:
    """What Python writes as 1e-05 would be text in YAML."""
    recipe = read("dare_linear", {"c": 1.0, "a": 1e-5}, base="c", merge_parameters={"density": 0.1})
    assert recipe["models"] == [{"model": "a", "parameters": {"weight": 1e-5, "density": 0.1}}]


def test_shares_by_layer() -> None:
    recipe = read("linear", {"a": 0.5, "b": 0.5}, gradient=(0.2, 0.8), merge_parameters={})
    assert recipe["models"][0]["parameters"]["weight"] == [0.2, 0.8]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_names(name: str) -> None:
    recipe = read("linear", {"a": 0.6, "b": 0.4}, names={"a": name, "b": "b", "m": name})
    assert recipe["models"][0]["model"] == name
    assert set(recipe) == {"merge_method", "models", "parameters", "dtype"}


def test_what_is_no_merge_has_no_recipe() -> None:
    with pytest.raises(NotFound, match="not known to be a merge"):
        read(None, {"a": None})


def merge(parents: str, child: str) -> list[Edge]:
    return [
        Edge(
            parent=parent,
            child=child,
            main=place == 0,
            relation=Relation.MERGE,
            confidence=0.9,
            distance=0.1,
            coefficient=0.5,
            evidence=Evidence(merge_method="linear"),
        )
        for place, parent in enumerate(parents)
    ]


def test_several_recipes_are_one_stream() -> None:
    """Merges go by their ids: mergekit makes paths of what recipes are called."""
    tree = FamilyTree(
        members=("a", "b", "m", "n"),
        edges=(*merge("ab", "m"), *merge("mb", "n")),
        root=None,
        root_confidence=0.0,
        method="heritage",
    )
    names = {"a": "../a", "b": "base", "m": "../../etc/m", "n": "---\nname: evil"}
    dtypes = {"m": "bfloat16", "n": "float16"}
    text = write_merge_recipes([tree], ["n", "m", "a"], names, dtypes=dtypes)
    first, second = yaml.safe_load_all(text)
    assert (first["name"], first["dtype"]) == ("m", "bfloat16")
    assert [model["model"] for model in first["models"]] == ["../a", "base"]
    assert (second["name"], second["dtype"]) == ("n", "float16")
    assert [model["model"] for model in second["models"]] == ["m", "base"]
    only = write_merge_recipes([tree], ["n"], names, dtypes=dtypes)
    assert [m["model"] for m in yaml.safe_load(only)["models"]] == ["../../etc/m", "base"]
    assert yaml.safe_load(write_merge_recipes([tree], ["a"], names, dtypes=dtypes)) is None


def test_the_precision_of_most_weights() -> None:
    assert find_dtype({"F32": 2, "BF16": 5, "F64": 2}) == "bfloat16"
    assert find_dtype({"F64": 2, "Q4_0": 1}) == "float32"
    assert find_dtype({}) == "float32"
