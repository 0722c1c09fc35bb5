"""One small family in which every relation occurs, with human names: for the demo and the tests."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.tasks import DigitsTask
from benchmarks.training import Recipe
from benchmarks.zoo import VERSION, Zoo, cached, one_thread, write_zoo

ALL_DIGITS = tuple(range(10))
SMALL = Architecture(kind=Kind.VIT, width=48, depth=3, hidden=96, outputs=10)
LARGER = Architecture(kind=Kind.VIT, width=64, depth=6, hidden=128, outputs=10)


def build_exhibit(architecture: Architecture, seed: int) -> Family:
    """A vision transformer for digits and its descendants, 12 models in all::

    base ─┬─ noisy (full) ─┬─ noisy-odd (new head) ── noisy-odd-lora (adapter)
          │                ├─ noisy-int8
          │                └─ noisy-copy (duplicate)
          ├─ rotated (full) ─┬─ rotated-last-layers (partial)
          │                  ├─ rotated-pruned
          │                  └─ noisy-rotated (merge of noisy and rotated)
          ├─ inverted-lora (adapter)
          └─ base-bf16 (cast)
    """
    rng = random.Random(f"exhibit/{seed}")

    def recipe(**changes: Any) -> Recipe:
        drawn = Recipe(rate=6e-4, decay=0.01, steps=80, seed=rng.getrandbits(31))
        return replace(drawn, **changes)

    family = Family("exhibit")

    def add(name: str, member: Member) -> Member:
        return family.add(replace(member, name=name))

    planted = family.plant(architecture, recipe(rate=2e-3, steps=400), rng)
    family.members.clear()
    base = add("base", planted)
    noisy = add("noisy", family.fine_tune(base, DigitsTask(noise=0.5), recipe(), rng))
    rotated = add(
        "rotated", family.fine_tune(base, DigitsTask(turns=1), recipe(optimiser="adam"), rng)
    )
    odd = DigitsTask(classes=(1, 3, 5, 7, 9), noise=0.3)
    noisy_odd = add("noisy-odd", family.fine_tune(noisy, odd, recipe(), rng, outputs=5))
    shuffled = DigitsTask(classes=(9, 7, 5, 3, 1), turns=3)
    add("noisy-odd-lora", family.adapt(noisy_odd, shuffled, recipe(rate=4e-3), rank=4))
    add("noisy-int8", family.quantise(noisy, bits=8, per_row=True))
    add("noisy-copy", family.duplicate(noisy))
    relabelled = DigitsTask(classes=ALL_DIGITS[::-1], turns=1)
    last = family.fine_tune(rotated, relabelled, recipe(), rng, part="last")
    add("rotated-last-layers", last)
    add("rotated-pruned", family.prune(rotated, share=0.4))
    add("noisy-rotated", family.merge(rotated, noisy, coefficient=0.6))
    inverted = DigitsTask(inverted=True)
    add("inverted-lora", family.adapt(base, inverted, recipe(rate=4e-3), rank=4, head=True))
    add("base-bf16", family.cast(base, dtype="bf16", stored="bf16"))
    return family


def build_strangers(architecture: Architecture, seed: int) -> Iterable[Family]:
    """Models that nothing relates to the exhibit nor to each other.

    The first has the exhibit's architecture but another beginning; then a GPT, a CNN, an MLP.
    """
    others = (
        Architecture(kind=Kind.GPT, width=32, depth=2, hidden=64, outputs=96, context=24),
        Architecture(kind=Kind.CNN, width=16, depth=2, hidden=32, outputs=10),
        Architecture(kind=Kind.MLP, width=64, depth=2, hidden=32, outputs=10),
    )
    for number, chosen in enumerate((architecture, *others)):
        rng = random.Random(f"strangers/{seed}/{number}")
        family = Family(f"stranger-{chosen.kind.value}")
        recipe = Recipe(rate=2e-3, steps=150, seed=rng.getrandbits(31))
        family.plant(chosen, recipe, rng)
        yield family


def get_exhibit(cache: Path, *, architecture: Architecture = SMALL, seed: int = 1) -> Zoo:
    """The exhibit as files, from ``cache`` or trained now."""
    about = {"version": VERSION, "kind": "exhibit", "seed": seed}
    name = f"v{VERSION}-exhibit-s{seed}-w{architecture.width}-d{architecture.depth}"

    def make(out: Path) -> None:
        with one_thread():
            write_zoo([build_exhibit(architecture, seed)], out, about=about)
        _put_in_order(Zoo(out).path("noisy"), Zoo(out).path("noisy-copy"))

    return Zoo(cached(cache / name, make))


def _put_in_order(first: Path, second: Path) -> None:
    """Exchange two files of equal models unless the first has the smaller checksum: it counts as
    the other's source, on whichever machine they were trained.
    """
    contents = sorted((f.read_bytes() for f in (first, second)), key=_checksum)
    for file, content in zip((first, second), contents, strict=True):
        file.write_bytes(content)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def get_strangers(cache: Path, *, seed: int = 1) -> list[Path]:
    """The strangers' files, in the order of ``build_strangers``."""
    about = {"version": VERSION, "kind": "strangers", "seed": seed}

    def make(out: Path) -> None:
        with one_thread():
            write_zoo(build_strangers(SMALL, seed), out, about=about)

    zoo = Zoo(cached(cache / f"v{VERSION}-strangers-s{seed}", make))
    return [zoo.path_of(family["root"]) for family in zoo.truth["families"]]
