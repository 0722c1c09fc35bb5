"""Evidence of stored models: read once, kept by checksums, absent where files are."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.exact_evidence import VERSION
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.relations import is_head
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import make_model, rename_arrays
from tests.clustering.models import ArrayWeights, add_noise


def fill(
    store: InMemoryStore, prints: Mapping[str, Fingerprint], paths: Mapping[str, Path]
) -> None:
    for name, fingerprint in prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name, path=paths.get(name))


@pytest.fixture
def paths(tmp_path: Path, zoo_family: Zoo) -> dict[str, Path]:
    """Copies of two real files, to be taken away."""
    return {
        name: Path(shutil.copy(zoo_family.path(name), tmp_path / name))
        for name in ("base", "noisy")
    }


@pytest.fixture
def prints(family_prints: dict[str, Fingerprint]) -> dict[str, Fingerprint]:
    return {name: family_prints[name] for name in ("base", "noisy")}


def test_it_reads_the_files(prints: dict[str, Fingerprint], paths: dict[str, Path]) -> None:
    store = InMemoryStore()
    fill(store, prints, paths)
    found = StoredEvidence(store)("base", "noisy")
    assert found is not None
    moved = {m.name for m in found.matrices if m.changed}
    assert moved == {m.name for m in found.matrices}, "every matrix was trained"
    named = {name for name, tensor in prints["base"].tensors.items() if tensor.is_matrix}
    assert {m.name for m in found.matrices} == named


def test_a_pair_is_read_once(prints: dict[str, Fingerprint], paths: dict[str, Path]) -> None:
    """Also by another store that was given the same mapping."""
    kept: dict[str, Mapping[str, Any]] = {}
    first = InMemoryStore(evidence=kept)
    fill(first, prints, paths)
    found = StoredEvidence(first)("base", "noisy")
    (key,) = kept
    assert key == f"{VERSION}:{prints['base'].checksum}:{prints['noisy'].checksum}"
    for path in paths.values():
        path.unlink()
    assert StoredEvidence(first)("base", "noisy") == found
    second = InMemoryStore(evidence=kept)
    fill(second, prints, {})
    assert StoredEvidence(second)("base", "noisy") == found


def test_what_is_kept_of_many_pairs_is_asked_for_once(
    prints: dict[str, Fingerprint], paths: dict[str, Path]
) -> None:
    asked: list[list[str]] = []

    class Watched(InMemoryStore):
        def find_evidence(self, keys: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
            asked.append(list(keys))
            return super().find_evidence(keys)

    store = Watched()
    fill(store, prints, paths)
    pairs = [("base", "noisy"), ("noisy", "base")]
    StoredEvidence(store)("base", "noisy")
    asked.clear()
    source = StoredEvidence(store)
    source.recall(pairs)
    found = [source(*pair) for pair in pairs]
    assert [len(keys) for keys in asked] == [2]
    assert found == [StoredEvidence(store)(*pair) for pair in pairs]
    assert found[0] is not None


@pytest.mark.parametrize("present", [(), ("base",), ("noisy",)])
def test_without_both_files_there_is_none(
    present: tuple[str, ...], prints: dict[str, Fingerprint], paths: dict[str, Path]
) -> None:
    """And nothing stays open."""
    store = InMemoryStore()
    fill(store, prints, {name: paths[name] for name in present})
    before = set(Path("/proc/self/fd").iterdir())
    assert StoredEvidence(store)("base", "noisy") is None
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_unknown_models_are_named(prints: dict[str, Fingerprint]) -> None:
    store = InMemoryStore()
    fill(store, prints, {})
    with pytest.raises(NotFound, match="nobody"):
        StoredEvidence(store)("base", "nobody")


def test_names_are_the_first_s(tmp_path: Path) -> None:
    """A child saved under other names is compared matrix by matrix."""
    base = make_model(1)
    child = rename_arrays(add_noise(base, share=0.1, seed=1), "wrapped.")
    child["scale"] = base["norm.weight"]
    store = InMemoryStore()
    ids = []
    for name, arrays in (("base", base), ("child", child)):
        save_file(dict(arrays), tmp_path / f"{name}.safetensors")
        ids.append(store.add_model(tmp_path / f"{name}.safetensors"))
    found = StoredEvidence(store)(*ids)
    assert found is not None
    assert [m.name for m in found.matrices] == sorted(n for n in base if base[n].ndim == 2)
    plain = {name.removeprefix("wrapped."): array for name, array in child.items()}
    assert found == measure_edge(ArrayWeights(base), ArrayWeights(plain), roundoff=2.0**-24)


def test_rounded_files_are_judged_by_their_rounding(
    family_prints: dict[str, Fingerprint], zoo_family: Zoo
) -> None:
    """base ─┬─ base-bf16: the adapter's rank is seen through the rounding of its sibling.
    └─ inverted-lora
    """
    store = InMemoryStore()
    names = ("base-bf16", "inverted-lora")
    fill(store, {n: family_prints[n] for n in names}, {n: zoo_family.path(n) for n in names})
    found = StoredEvidence(store)(*names)
    assert found is not None
    assert all(m.changed > 0.5 for m in found.matrices), "rounding touched every matrix"
    body = [m for m in found.matrices if not is_head(m.name) and m.relative_change > 0.05]
    assert {m.delta_rank for m in body} == {4}
