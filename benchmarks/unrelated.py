"""Are strangers ever taken for relatives? More than 100,000 unrelated pairs of one architecture.

``python -m benchmarks.unrelated`` trains some 230 small networks of each of four architectures,
each from its own random start, puts all pairs to the engine's test of relatedness, and writes
Markdown and JSON into benchmarks/results/. Half of the networks of an architecture see the very
same data in the same order, the others data of their own; some start from uniform values, some
from normal ones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from benchmarks.accuracy import RESULTS
from benchmarks.architectures import Architecture, Kind
from benchmarks.tasks import CHARACTERS, DigitsTask, Task, TextTask, draw_task
from benchmarks.training import Recipe, collect, optimise
from benchmarks.zoo import one_thread
from model_heritage_backend.clustering.relatedness import calculate_relatedness, find_components
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights import open_weights

MODELS = 232
"""Of each architecture: 4 x 232 x 231 / 2 pairs are 107,184."""
STEPS = (10, 40)
ARCHITECTURES = {
    "ViT": Architecture(kind=Kind.VIT, width=32, depth=2, hidden=64, outputs=10),
    "GPT": Architecture(
        kind=Kind.GPT, width=32, depth=2, hidden=64, outputs=len(CHARACTERS), context=16
    ),
    "CNN": Architecture(kind=Kind.CNN, width=12, depth=3, hidden=32, outputs=10),
    "MLP": Architecture(kind=Kind.MLP, width=64, depth=3, hidden=32, outputs=10),
}
SHARED = {Kind.GPT: TextTask(modules=("ast", "calendar", "csv"), context=16)}
"""What the networks that see the same data learn; all the digits by default."""


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """All pairs of one architecture.

    ``z`` is standard normal for strangers, by the pairs' own null hypothesis; ``false`` counts the
    pairs the engine takes for relatives; ``families`` should be as many as ``models``.
    """

    architecture: str
    models: int
    pairs: int
    largest_z: float
    sd_z: float
    largest_correlation: float
    false: int
    false_same_data: int
    families: int
    train_seconds: float
    test_seconds: float


def measure(name: str, architecture: Architecture, models: int) -> Strangers:
    """Train ``models`` networks and test all pairs."""
    begun = time.perf_counter()
    fingerprints = list(train_all(architecture, models))
    trained = time.perf_counter()
    found = calculate_relatedness(fingerprints, fingerprints)
    families = find_components({str(place): one for place, one in enumerate(fingerprints)})
    tested = time.perf_counter()
    above = np.triu_indices(models, 1)
    same_data = (above[0] < models // 2) & (above[1] < models // 2)
    related = found.related[above]
    return Strangers(
        architecture=name,
        models=models,
        pairs=len(related),
        largest_z=float(found.z[above].max()),
        sd_z=float(found.z[above].std()),
        largest_correlation=float(found.correlation[above].max()),
        false=int(related.sum()),
        false_same_data=int(related[same_data].sum()),
        families=len(families),
        train_seconds=trained - begun,
        test_seconds=tested - trained,
    )


def train_all(architecture: Architecture, models: int) -> Iterator[Fingerprint]:
    """Fingerprints of networks that have nothing in common but their shape and, for the first
    half, their data.
    """
    shared = SHARED.get(architecture.kind, DigitsTask())
    for number in range(models):
        rng = random.Random(f"unrelated/{architecture.kind}/{number}")
        own = replace(architecture, initial=rng.choice(("uniform", "normal")))
        recipe = Recipe(
            optimiser=rng.choice(("sgd", "adam", "adamw")), rate=3e-3, steps=rng.randint(*STEPS)
        )
        task: Task = shared
        if number >= models // 2:
            task = draw_task(own, rng)
            recipe = replace(recipe, seed=rng.getrandbits(31))
        yield train(own, task, recipe, start=rng.getrandbits(31))


def train(architecture: Architecture, task: Task, recipe: Recipe, *, start: int) -> Fingerprint:
    """Fingerprint of a network trained from a random ``start``; ``recipe.seed`` orders the data."""
    module = architecture.build(start)
    optimise(module, task, recipe)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file(collect(module), path)
        with open_weights(path) as weights:
            return fingerprint_weights(weights, checksum=f"{start:064x}")


HEADINGS = (
    "architecture",
    "models",
    "pairs",
    "largest z",
    "sd of z",
    "largest correlation",
    "false links",
    "families",
    "training s",
    "test s",
)


def format_table(found: Sequence[Strangers]) -> str:
    """Markdown, with a line for all."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|" + "---:|" * (len(HEADINGS) - 1)]
    lines += [
        f"| {one.architecture} | {one.models} | {one.pairs} | {one.largest_z:.2f} "
        f"| {one.sd_z:.3f} | {one.largest_correlation:.4f} | {one.false} "
        f"| {one.families} | {one.train_seconds:.0f} | {one.test_seconds:.1f} |"
        for one in found
    ]
    names = ("models", "pairs", "false", "families")
    models, pairs, false, families = (sum(getattr(one, n) for one in found) for n in names)
    top = max(one.largest_z for one in found)
    correlation = max(one.largest_correlation for one in found)
    lines.append(
        f"| all | {models} | {pairs} | {top:.2f} | | {correlation:.4f} | {false} | {families} | | |"
    )
    return "\n".join(lines) + "\n"


def write_results(found: Sequence[Strangers], path: Path) -> Path:
    """Write ``path``.md and ``path``.json; gives the Markdown's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date().isoformat()
    table = path.with_suffix(".md")
    table.write_text(f"# Unrelated pairs, {today}\n\n{LEGEND}\n{format_table(found)}")
    content = {"date": today, "architectures": [asdict(one) for one in found]}
    path.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    return table


LEGEND = """\
Networks trained from random starts of their own; all pairs of one architecture, put to the engine's
test of relatedness. The first half of each architecture's networks saw the same data in the same
order. *false links*: pairs taken for relatives; there should be none, and every network should be a
family of its own.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unrelated", description=__doc__)
    parser.add_argument("--models", type=int, default=MODELS, help="networks of each architecture")
    parser.add_argument("--out", type=Path, default=RESULTS / "unrelated", help="without ending")
    options = parser.parse_args(arguments)
    found = []
    with one_thread():
        for name, architecture in ARCHITECTURES.items():
            found.append(measure(name, architecture, options.models))
            print(f"{name} done", file=sys.stderr, flush=True)
    print(format_table(found))
    print(f"Written: {write_results(found, options.out)}")
    return int(any(one.false or one.families < one.models for one in found))


if __name__ == "__main__":
    sys.exit(main())
