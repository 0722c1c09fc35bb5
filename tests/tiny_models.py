"""Three models made on the spot: for examples in docstrings, the client and the documents."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


def make_tiny_models(folder: Path) -> Path:
    """``base``, ``tuned`` (base with a low-rank adapter merged in) and ``half`` (tuned in half
    precision) as safetensors files; gives the folder."""
    random = np.random.default_rng(7)

    def draw(scale: float, *shape: int) -> NDArray[np.float32]:
        return random.normal(0, scale, shape).astype(np.float32)

    base = {f"layers.{n}.weight": draw(0.1, 96, 96) for n in range(6)}
    tuned = {name: w + draw(0.15, 96, 2) @ draw(0.15, 2, 96) for name, w in base.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(base, folder / "base.safetensors")
    save_file(tuned, folder / "tuned.safetensors")
    half = {name: w.astype(np.float16) for name, w in tuned.items()}
    save_file(half, folder / "half.safetensors")
    return folder


def make_unknown(folder: Path) -> Path:
    """``unknown.safetensors``, made from ``tuned`` of ``make_tiny_models`` by training its last two
    layers; its path. The others are equal to the last bit, so it is not from ``half``."""
    weights = load_file(folder / "checkpoints" / "tuned.safetensors")
    random = np.random.default_rng(8)
    for name in sorted(weights)[-2:]:
        step = random.normal(0, 0.05, weights[name].shape)
        weights[name] = weights[name] + step.astype(np.float32)
    save_file(weights, folder / "unknown.safetensors")
    return folder / "unknown.safetensors"


def make_hub_cache(folder: Path) -> Path:
    """The models of ``make_tiny_models`` as the hub's client keeps them in a home: blobs by
    checksum, snapshots of links to them; gives the cache."""
    cache = folder / ".cache" / "huggingface" / "hub"
    for path in sorted((folder / "checkpoints").glob("*.safetensors")):
        repository = cache / f"models--our-team--{path.stem}"
        blob = repository / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
        snapshot = repository / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
        for place in (blob.parent, snapshot, repository / "refs"):
            place.mkdir(parents=True)
        shutil.copy(path, blob)
        (snapshot / "model.safetensors").symlink_to(Path("..", "..", "blobs", blob.name))
        (repository / "refs" / "main").write_text(snapshot.name)
    return cache
