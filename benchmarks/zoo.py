"""Zoos: models really trained here, with their true genealogy beside them.

``python -m benchmarks.zoo OUT --kind wild --seed 7`` writes one ``.safetensors`` file per model,
under names that tell nothing, and ``truth.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from benchmarks import (
    adapters,
    adversarial,
    foreign,
    mini_vthr,
    missing,
    rare_operations,
    small_step,
    wild,
)
from benchmarks.family import Family, Member
from benchmarks.truth import describe

VERSION = 3
"""Raise it whenever the generator gives other models for the same seed: caches depend on it."""
VERSIONS = {"small-step": 6, "small-step-adam": 6, "missing": 4}
"""Kinds that have changed since the others did."""
CACHE = Path(__file__).parent / "cache"
PREFIXES = ("", "", "", "module.", "model.", "backbone.", "_orig_mod.", "module.model.")

Builder = Callable[[int, int | None, int | None], Iterator[Family]]
KINDS: dict[str, Builder] = {
    "mini-vthr-ft": lambda seed, _, families: mini_vthr.build_full(seed, families or 5),
    "mini-vthr-lora-fixed": lambda seed, _, families: mini_vthr.build_lora_fixed(
        seed, families or 5
    ),
    "mini-vthr-lora-varying": lambda seed, _, families: mini_vthr.build_lora_varying(
        seed, families or 5
    ),
    "wild": lambda seed, models, _: wild.build(seed, models),
    "missing": lambda seed, models, _: missing.build(seed, models),
    "adversarial": lambda seed, models, _: adversarial.build(seed, models),
    "operations": lambda seed, _, families: rare_operations.build(seed, families or 4),
    "adapters": lambda seed, _, families: adapters.build(seed, families or 8),
    "foreign": lambda seed, _, families: foreign.build(seed, families or 6),
    "small-step": lambda seed, _, families: small_step.build(seed, families or 4),
    "small-step-adam": lambda seed, _, families: small_step.build(
        seed, families or 4, habits=small_step.ADAM
    ),
}
BY_MODELS = ("wild", "missing", "adversarial")
"""Kinds whose size is a number of models; that of the others is a number of families."""


@dataclass(frozen=True)
class Zoo:
    """A written zoo."""

    folder: Path

    @cached_property
    def truth(self) -> dict[str, Any]:
        """The content of truth.json."""
        content: dict[str, Any] = json.loads((self.folder / "truth.json").read_text())
        return content

    @cached_property
    def ids(self) -> dict[str, str]:
        """Name -> id."""
        return {model["name"]: model["id"] for model in self.truth["models"]}

    @cached_property
    def names(self) -> dict[str, str]:
        """Id -> name."""
        return {model["id"]: model["name"] for model in self.truth["models"]}

    @property
    def has_alterations(self) -> bool:
        """Whether models were altered after birth without changing what they compute."""
        return any("alterations" in model for model in self.truth["models"])

    @property
    def paths(self) -> list[Path]:
        """All model files, by file name."""
        return sorted(self.folder.glob("*.safetensors"))

    def path(self, name: str) -> Path:
        """File of the model with this human name."""
        return self.path_of(self.ids[name])

    def path_of(self, model_id: str) -> Path:
        return self.folder / f"{model_id}.safetensors"

    def true_parents(self, name: str) -> list[str]:
        """Names of the true parents, the main one first; empty for a root."""
        child = self.ids[name]
        return [self.names[e["parent"]] for e in self.truth["edges"] if e["child"] == child]


@contextmanager
def one_thread() -> Iterator[None]:
    """Tiny matrices gain nothing from threads, and one thread makes the sums reproducible."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def write_zoo(families: Iterable[Family], out: Path, *, about: dict[str, Any]) -> None:
    """Write the models and ``truth.json`` into the folder ``out``, which is made.

    The files' names are random and their order is shuffled; some models' tensors get a prefix.
    ``about`` says how the zoo was made: at least its ``kind`` and ``seed``.
    """
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"names/{about['kind']}/{about['seed']}")
    grown = list(families)
    members = [(family, member) for family in grown for member in family.members]
    withheld = {member for family in grown for member in family.withheld}
    ids: dict[Member, str] = {}
    while len(set(ids.values())) < len(members):
        ids = {member: f"{rng.getrandbits(24):06x}" for _, member in members}
    for family, member in rng.sample(members, len(members)):
        prefix = rng.choice(PREFIXES)
        if member in withheld:
            continue
        altered = family.altered.get(member)
        published = altered.weights if altered else member.weights
        weights = {prefix + n: v.contiguous() for n, v in published.items()}
        save_file(weights, out / f"{ids[member]}.safetensors", metadata={"format": "pt"})
    truth = {"generator": about, **describe(grown, ids)}
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


def make_zoo(
    out: Path, *, kind: str, seed: int, models: int | None = None, families: int | None = None
) -> None:
    """Train a zoo of a kind in KINDS into the folder ``out``."""
    about = {
        "version": VERSIONS.get(kind, VERSION),
        "kind": kind,
        "seed": seed,
        "models": models,
        "families": families,
        "torch": torch.__version__,
    }
    with one_thread():
        write_zoo(KINDS[kind](seed, models, families), out, about=about)


def get_zoo(
    kind: str,
    seed: int,
    *,
    models: int | None = None,
    families: int | None = None,
    cache: Path | None = None,
) -> Zoo:
    """A zoo from the cache (``CACHE`` by default), trained when it is not there yet."""
    key = f"v{VERSIONS.get(kind, VERSION)}-{kind}-s{seed}-m{models}-f{families}"

    def make(out: Path) -> None:
        make_zoo(out, kind=kind, seed=seed, models=models, families=families)

    return Zoo(cached((cache or CACHE) / key, make))


def cached(folder: Path, make: Callable[[Path], None]) -> Path:
    """``folder``, made by ``make`` if it does not exist; a broken run leaves nothing behind."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
            made = Path(scratch) / "zoo"
            make(made)
            try:
                made.rename(folder)
            except OSError:
                # Another process was faster: its zoo is the same.
                if not folder.is_dir():
                    raise
    return folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write; it must not exist or be empty")
    parser.add_argument("--kind", choices=list(KINDS), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", type=int, help="size of a zoo that begins as a wild one")
    parser.add_argument("--families", type=int, help="number of families of the other kinds")
    options = parser.parse_args(arguments)
    if options.out.is_dir() and any(options.out.iterdir()):
        parser.error(f"{options.out} is not empty")
    begun = time.perf_counter()
    zoo = get_zoo(options.kind, options.seed, models=options.models, families=options.families)
    shutil.copytree(zoo.folder, options.out, dirs_exist_ok=True)
    count = len(list(options.out.glob("*.safetensors")))
    print(f"{count} models in {options.out} after {time.perf_counter() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
