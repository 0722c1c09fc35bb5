"""What differs between two models, from their files where these are at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_heritage_backend.clustering.comparison import compare_models
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.memory_store import InMemoryStore
from tests.clustering.families import Arrays, Floats, make_model, rename_arrays
from tests.clustering.models import add_noise, fingerprint_arrays

BASE = make_model(1)
DENSE, ATTENTION = "blocks.0.dense.weight", "blocks.0.attention.weight"


def compare(first: Arrays, second: Arrays, folder: Path | None) -> dict[str, Any]:
    """With files in the folder, or from fingerprints alone."""
    store = InMemoryStore()
    for name, arrays in (("first", first), ("second", second)):
        path = None if folder is None else folder / f"{name}.safetensors"
        if path is not None:
            save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, path)
        store.add_fingerprint(fingerprint_arrays(arrays), id=name, name=name, path=path)
    found = compare_models(store, StoredEvidence(store), "first", "second")
    json.dumps(found, allow_nan=False)
    return found


def by_name(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in found["tensors"]}


@pytest.mark.parametrize("files", [True, False])
def test_figures_are_those_of_numpy(files: bool, tmp_path: Path) -> None:
    """Small matrices lie in the sample whole, so that both ways agree."""
    child = add_noise(BASE, share=0.2, seed=1)
    child[DENSE] = BASE[DENSE]
    found = compare(BASE, child, tmp_path if files else None)
    entries = by_name(found)
    assert entries.keys() == BASE.keys()
    same = {name for name, entry in entries.items() if entry["status"] == "equal"}
    assert same == {DENSE} | {name for name in BASE if BASE[name].ndim == 1}
    x, y = (a[ATTENTION].astype(np.float64) for a in (BASE, child))
    entry = entries[ATTENTION]
    assert entry["distance"] == pytest.approx(np.linalg.norm(y - x))
    assert entry["relative_change"] == pytest.approx(0.2, rel=0.03)
    cosine = (x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y)
    assert entry["cosine"] == pytest.approx(cosine)
    assert (entry["status"], entry["shape"], entry["other_shape"]) == (
        "changed",
        [24, 24],
        [24, 24],
    )
    assert entries[DENSE]["equal"] == 1.0
    assert entries[DENSE]["distance"] == 0.0
    assert found["related"]


def test_without_files_exact_figures_are_absent() -> None:
    found = compare(BASE, add_noise(BASE, share=0.2, seed=1), None)
    assert found["distance"] is None
    assert found["relation_evidence"] is None


@pytest.mark.parametrize("turned", [False, True])
def test_signals_are_seen_from_the_first(turned: bool, tmp_path: Path) -> None:
    """Whichever of the two has the smaller checksum and is read first."""
    child = add_noise(BASE, share=0.3, seed=1)
    pair = (child, BASE) if turned else (BASE, child)
    found = compare(*pair, tmp_path)
    growth = found["relation_evidence"]["norm_growth"]
    assert growth == pytest.approx(-1.0 if turned else 1.0, abs=0.4)
    assert found["distance"] == pytest.approx(0.3, rel=0.1)


def test_shares_of_equal_values(tmp_path: Path) -> None:
    child = {**BASE, DENSE: BASE[DENSE].copy()}
    child[DENSE][:12] += 1
    entry = by_name(compare(BASE, child, tmp_path))[DENSE]
    assert (entry["equal"], entry["status"], entry["delta_rank"]) == (0.75, "changed", 1)


def test_added_removed_and_reshaped(tmp_path: Path) -> None:
    first = {**BASE, "head.weight": np.ones((10, 24), np.float32), "old": np.ones(3, np.float32)}
    second = {**BASE, "head.weight": np.ones((5, 24), np.float32), "new": np.ones(3, np.float32)}
    found = compare(first, second, tmp_path)
    entries = by_name(found)
    status = {name: entries[name]["status"] for name in ("head.weight", "old", "new")}
    assert status == {"head.weight": "reshaped", "old": "removed", "new": "added"}
    shapes = {name: (entries[name]["shape"], entries[name]["other_shape"]) for name in status}
    assert shapes == {"head.weight": ([10, 24], [5, 24]), "old": ([3], None), "new": (None, [3])}
    assert all(entries[name]["distance"] is None for name in status)
    assert found["summary"] == (
        "0 of 9 shared tensors differ; 1 changed shape; 1 are missing in the second; "
        "1 are new in the second."
    )


def test_names_of_another_framework_are_matched(tmp_path: Path) -> None:
    other: dict[str, Floats] = rename_arrays(add_noise(BASE, share=0.1, seed=1), "wrapped.")
    other["scale"] = np.ones(3, np.float32)
    for pair, statuses in (((BASE, other), {"added"}), ((other, BASE), {"removed"})):
        entries = by_name(compare(*pair, tmp_path))
        named = {e["status"] for e in entries.values() if e["status"] not in ("equal", "changed")}
        assert named == statuses
        moved = [entry for entry in entries.values() if entry["status"] == "changed"]
        assert len(moved) == 4
        assert all(entry["relative_change"] == pytest.approx(0.1, rel=0.05) for entry in moved)


@pytest.mark.parametrize(
    ("second", "summary"),
    [
        (BASE, "The two models hold exactly the same weights."),
        ({"w": np.ones((9, 9), np.float32)}, "The two models have no tensor in common."),
        (
            make_model(2),
            "The two models share 9 tensors by name and shape, but their weights are unrelated.",
        ),
        (
            add_noise(BASE, share=0.25, seed=1, rank=2),
            "4 of 9 shared tensors differ; the changed matrices by 25 % of their norm; "
            "all by matrices of low rank (median 2).",
        ),
    ],
)
def test_one_sentence(second: Arrays, summary: str, tmp_path: Path) -> None:
    assert compare(BASE, second, tmp_path)["summary"] == summary


@pytest.mark.parametrize("files", [True, False])
def test_odd_numbers_stay_json(files: bool, tmp_path: Path) -> None:
    """Not a number, infinity, and without files numbers whose squares overflow."""
    broken = {name: array.astype(np.float64) for name, array in BASE.items()}
    broken[DENSE][0, :3] = (np.nan, np.inf, 0.5 if files else 1e300)
    broken[ATTENTION] = 0.0 * broken[ATTENTION]
    entries = by_name(compare(BASE, broken, tmp_path if files else None))
    assert entries[ATTENTION]["cosine"] in (None, 0.0)
    assert entries[DENSE]["status"] == "changed"


def test_verdicts_layers_and_kinds(tmp_path: Path) -> None:
    child = add_noise(BASE, share=0.2, seed=1)
    child[DENSE] = BASE[DENSE].copy()
    child[DENSE][0, 0] += 1
    found = compare(BASE, child, tmp_path)
    entries = by_name(found)
    assert (entries[DENSE]["verdict"], entries[ATTENTION]["verdict"]) == ("low_rank", "trained")
    assert (entries[DENSE]["kind"], entries[ATTENTION]["kind"]) == ("mlp", "attention")
    for group, key in (("layers", "layer"), ("kinds", "kind")):
        assert sum(entry["tensors"] for entry in found[group]) == len(BASE)
        assert {entry[key] for entry in found[group]} == {e[key] for e in found["tensors"]}
    attention = next(entry for entry in found["kinds"] if entry["kind"] == "attention")
    norms = [
        [entries[name][of] for name in BASE if entries[name]["kind"] == "attention"]
        for of in ("distance", "norm")
    ]
    expected = np.linalg.norm(norms[0]) / np.linalg.norm(norms[1])
    assert attention["relative_change"] == pytest.approx(expected)
    assert 0.1 < expected <= 0.21


def test_rounding_is_no_training(tmp_path: Path) -> None:
    rounded = {name: array.astype(np.float16) for name, array in BASE.items()}
    entries = by_name(compare(BASE, rounded, tmp_path))
    assert {entry["verdict"] for entry in entries.values()} <= {"rounding", "equal"}
    assert entries[ATTENTION]["verdict"] == "rounding"


def test_a_tensor_made_anew(tmp_path: Path) -> None:
    child = {**BASE, DENSE: make_model(2)[DENSE]}
    assert by_name(compare(BASE, child, tmp_path))[DENSE]["verdict"] == "replaced"
