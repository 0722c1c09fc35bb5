"""One model in every format is one model; its quantised files descend from it.

base ─┬─ tuned (full fine-tune, a small step) ─── tuned's files: Q5_1, Q6_K
      └─ base's files: Q8_0, Q4_0, Q4_K, and one with Q8_0 in two matrices only
"""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save, save_file

from benchmarks.architectures import Architecture
from benchmarks.architectures import Kind as Network
from benchmarks.family import Family
from benchmarks.tasks import DigitsTask
from benchmarks.training import Recipe
from benchmarks.zoo import one_thread
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree, Relation
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_sampled
from model_heritage_backend.fingerprints.structure import describe_structure
from model_heritage_backend.weights import open_weights
from tests.clustering.models import fingerprint_file
from tests.weights.gguf_samples import Kind, write_gguf

Arrays = dict[str, np.ndarray]
SMALL = Architecture(kind=Network.VIT, width=256, depth=1, hidden=256, outputs=10)


def write_npz(save: Callable[..., None], arrays: Arrays, path: Path) -> None:
    """Under a name without an ending, which numpy would add."""
    with path.open("wb") as file:
        save(file, **arrays)


def write_torch(arrays: Arrays, path: Path, *, modern: bool) -> None:
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=modern)


def write_parts(arrays: Arrays, path: Path) -> None:
    """Two parts in an archive that packs them."""
    names = sorted(arrays)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(2):
            content = save({name: arrays[name] for name in names[part::2]})
            archive.writestr(f"org/model-{part + 1:05}-of-00002.safetensors", content)


WRITERS: dict[str, Callable[[Arrays, Path], object]] = {
    "safetensors": lambda arrays, path: save_file(arrays, path),
    "torch-zip": partial(write_torch, modern=True),
    "torch-legacy": partial(write_torch, modern=False),
    "safetensors-sharded": write_parts,
    "npz": lambda arrays, path: write_npz(np.savez, arrays, path),
    "npz compressed": lambda arrays, path: write_npz(np.savez_compressed, arrays, path),
    "gguf": lambda arrays, path: write_gguf(path, arrays),
}


@pytest.fixture(scope="module")
def trained() -> tuple[Arrays, Arrays]:
    """A vision transformer for digits, and what a short fine-tune made of it."""
    with one_thread():
        family, rng = Family("formats"), random.Random(1)
        base = family.plant(SMALL, Recipe(rate=1e-3, steps=12, seed=1), rng)
        recipe = Recipe(rate=1e-4, decay=0.01, steps=6, seed=2)
        tuned = family.fine_tune(base, DigitsTask(noise=0.3), recipe, rng)
    first, second = ({n: t.numpy() for n, t in m.weights.items()} for m in (base, tuned))
    return first, second


@pytest.fixture(scope="module")
def files(trained: tuple[Arrays, Arrays], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the family's files by name, and one of "tuned" in every format."""
    folder = tmp_path_factory.mktemp("formats")
    base, tuned = trained
    save_file(base, folder / "base")
    for name, write in WRITERS.items():
        write(tuned, folder / name)
    for kind in (Kind.Q8_0, Kind.Q4_0, Kind.Q4_K):
        write_gguf(folder / f"base-{kind.name}", base, kinds=kind, architecture="vit")
    few = dict.fromkeys(sorted(name for name in base if base[name].ndim == 2)[:2], Kind.Q8_0)
    write_gguf(folder / "base-few", base, kinds=few, architecture="vit")
    for kind in (Kind.Q5_1, Kind.Q6_K):
        write_gguf(folder / f"tuned-{kind.name}", tuned, kinds=kind, architecture="vit")
    return folder


@pytest.fixture(scope="module")
def prints(files: Path) -> dict[str, Fingerprint]:
    return {path.name: fingerprint_file(path) for path in files.iterdir()}


def solve(prints: dict[str, Fingerprint], files: Path) -> FamilyTree:
    store = InMemoryStore()
    for name, fingerprint in prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name, path=files / name)
    return solve_family(prints, exact=StoredEvidence(store))


def test_the_same_weights_have_the_same_fingerprint(
    files: Path, prints: dict[str, Fingerprint]
) -> None:
    first = prints["safetensors"]
    for name in WRITERS:
        with open_weights(files / name) as weights:
            assert weights.format == name.split()[0]
            structure = describe_structure(weights)
        assert structure.structural_hash == prints[name].structural_hash == first.structural_hash
        assert structure.total_parameters == first.total_parameters
        digests = {key: tensor.value_digest for key, tensor in prints[name].tensors.items()}
        assert digests == {key: tensor.value_digest for key, tensor in first.tensors.items()}
        np.testing.assert_array_equal(prints[name].routing, first.routing)


def test_the_same_weights_have_the_same_place(prints: dict[str, Fingerprint], files: Path) -> None:
    edges: dict[str, Edge] = {}
    for name in WRITERS:
        tree = solve({"base": prints["base"], name: prints[name]}, files)
        edges[name] = tree.main_edges[name]
        assert edges[name].parent == "base"
        assert edges[name].relation is Relation.FINETUNE
    for edge in edges.values():
        assert edge.confidence == pytest.approx(edges["safetensors"].confidence)
    tree = solve({name: prints[name] for name in ("base", *WRITERS)}, files)
    relations = sorted(edge.relation for edge in tree.edges)
    assert relations == sorted([Relation.FINETUNE, *[Relation.DUPLICATE] * (len(WRITERS) - 1)])


def test_quantised_files_descend_from_their_source(
    prints: dict[str, Fingerprint], files: Path
) -> None:
    """Although the sibling of each source is much nearer to it than the quantised file."""
    names = [name for name in prints if name not in WRITERS or name == "safetensors"]
    tree = solve({name: prints[name] for name in names}, files)
    main = tree.main_edges
    expected = {
        "base-Q8_0": ("base", 8),
        "base-Q4_0": ("base", 4),
        "base-Q4_K": ("base", 4),
        "base-few": ("base", 8),
        "tuned-Q5_1": ("safetensors", 5),
        "tuned-Q6_K": ("safetensors", 6),
    }
    assert tree.root == "base"
    assert {name: (main[name].parent, main[name].evidence.bits) for name in expected} == expected
    for name in expected:
        assert main[name].relation is Relation.QUANTIZED
        assert main[name].confidence > 0.9
        assert main[name].evidence.direction > 10
    assert main["safetensors"].parent == "base"
    step = main["safetensors"].distance
    assert all(main[name].distance > 2 * step for name in expected if "4" in name)


def test_without_its_source_a_quantised_file_is_nobody_s_copy(
    prints: dict[str, Fingerprint], files: Path
) -> None:
    """Nor is anything said about its parent with confidence, nor about its children."""
    for names in (
        ("base", "tuned-Q6_K", "tuned-Q5_1"),
        ("base-Q8_0", "base-Q4_0", "base-Q4_K"),
        ("base-Q8_0", "base-Q4_K", "safetensors"),
    ):
        tree = solve({name: prints[name] for name in names}, files)
        assert tree.edges
        assert all(edge.relation is not Relation.QUANTIZED for edge in tree.edges)
        assert all(edge.confidence < 0.5 for edge in tree.edges)


def test_samples_alone_tell_a_quantised_file(files: Path, prints: dict[str, Fingerprint]) -> None:
    def sample(name: str) -> Fingerprint:
        with open_weights(files / name) as weights:
            return fingerprint_sampled(weights, checksum=prints[name].checksum)

    for name in ("base-Q4_K", "base-Q8_0"):
        sampled = sample(name)
        for key, tensor in sampled.tensors.items():
            np.testing.assert_array_equal(tensor.cells, prints[name].tensors[key].cells)
    tree = solve_family({name: sample(name) for name in ("base", "safetensors", "base-Q4_K")})
    assert tree.main_edges["base-Q4_K"].relation is Relation.QUANTIZED
    assert tree.main_edges["base-Q4_K"].parent == "base"


def test_a_quantised_file_tells_its_kind(files: Path) -> None:
    with open_weights(files / "base-Q4_K") as weights:
        dtypes = describe_structure(weights).dtypes
    assert set(dtypes) == {"F32", "Q4_K"}
    assert dtypes["Q4_K"] > 10 * dtypes["F32"]
