"""How far the evidence itself would carry: what oracles make of it, and every sure mistake.

``python -m benchmarks.ceiling --kinds small-step --seeds 41 51`` solves zoos as they are, then with
the true roots given, then with the true parent confirmed wherever the evidence of a true edge
contradicts itself: of its matrices, taken in two halves, one says that the parent came first, the
other that the child did. The first oracle shows what roots alone cost, the second what noise costs.
Writes Markdown and JSON into benchmarks/results/, with all wrong edges of a confidence of 0.9 or
more and what is known of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from benchmarks.accuracy import RESULTS
from benchmarks.engine import read_zoo
from benchmarks.figures import is_sure_wrong
from benchmarks.fit_direction import TRAINED, Tensors, open_by_name
from benchmarks.report import describe_truth
from benchmarks.scoring import Judgement, Verdict, judge
from benchmarks.zoo import BY_MODELS, KINDS, Zoo, get_zoo
from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.direction import calculate_direction
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.relatedness import find_components
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.interop.heritage_document import DocumentModel, build_heritage_document
from model_heritage_backend.weights.tensors import FLOAT32_ROUNDOFF

AS_IS, TRUE_ROOTS, NO_NOISE = ORACLES = ("as solved", "true roots", "contradictions settled")
HALVES = 2


@dataclass(frozen=True, kw_only=True)
class TrueEdge:
    """What the two files of a true edge, made by training, say of its direction.

    ``odds``: log-odds of the true direction; ``halves``: of each half of the matrices alone.
    """

    parent: str
    child: str
    architecture: str
    odds: float
    halves: tuple[float, ...]

    @property
    def contradicts(self) -> bool:
        """One half of the matrices says this, the other that: its sum is within its noise."""
        return min(self.halves) * max(self.halves) <= 0.0


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """One zoo, solved once by itself and once with the help of each oracle.

    ``judgements`` are by oracle, ``edges`` the true ones made by training, ``mistakes`` the wrong
    edges of 0.9 or more with what is known of them.
    """

    zoo: str
    kind: str
    judgements: Mapping[str, Judgement]
    edges: Sequence[TrueEdge]
    mistakes: Sequence[Mapping[str, Any]]


def measure_edges(zoo: Zoo) -> Iterator[TrueEdge]:
    """The directions of all true edges, made by training, that changed a matrix."""
    models = {model["id"]: model for model in zoo.truth["models"]}
    for edge in zoo.truth["edges"]:
        if edge["relation"] not in TRAINED or edge["parent"] not in models:
            continue
        pair = [models[edge[end]] for end in ("parent", "child")]
        with open_by_name(zoo, pair[0]) as a, open_by_name(zoo, pair[1]) as b:
            whole, *halves = (_direct(part, b) for part in (a, *_halve(a)))
        yield TrueEdge(
            parent=edge["parent"],
            child=edge["child"],
            architecture=pair[1]["architecture"],
            odds=whole,
            halves=tuple(halves),
        )


def _halve(tensors: Tensors) -> Iterator[Tensors]:
    """By a hash of their names, so that neighbouring layers are in either half."""
    for half in range(HALVES):
        yield {
            name: tensor
            for name, tensor in tensors.items()
            if xxhash.xxh3_64_intdigest(name.encode()) % HALVES == half
        }


def _direct(parent: Tensors, child: Tensors) -> float:
    return calculate_direction(measure_edge(parent, child, roundoff=FLOAT32_ROUNDOFF))


def measure(zoo: Zoo) -> Ceiling:
    """Solve a zoo by itself and with each oracle's help."""
    edges = list(measure_edges(zoo))
    reading = read_zoo(zoo.folder)
    store = InMemoryStore()
    ids = {model["file"]: model["id"] for model in zoo.truth["models"]}
    models = []
    for file, fingerprint in reading.files:
        model = ids[file.path.name]
        store.add_fingerprint(fingerprint, id=model, name=zoo.names[model], path=file.path)
        models.append(
            DocumentModel(
                id=model,
                path=file.shown,
                checksum=fingerprint.checksum,
                total_parameters=fingerprint.total_parameters,
            )
        )
    prints = {model.id: store.load_fingerprint(model.id) for model in models}
    roots = {family["root"] for family in zoo.truth["families"]}
    confirmed = {edge.child: edge.parent for edge in edges if edge.contradicts}
    families = find_components(prints)
    exact = StoredEvidence(store)
    documents = {}
    for oracle in ORACLES:
        known = Constraints(confirmed=confirmed if oracle == NO_NOISE else {})
        trees = []
        for family in families:
            if oracle == TRUE_ROOTS:
                known = Constraints(root=min(roots & set(family), default=None))
            members = {model: prints[model] for model in family}
            trees.append(solve_family(members, exact=exact, constraints=known))
        documents[oracle] = build_heritage_document(models, trees)
    judgements = {oracle: judge(zoo.truth, document) for oracle, document in documents.items()}
    return Ceiling(
        zoo=zoo.folder.name,
        kind=zoo.truth["generator"]["kind"],
        judgements=judgements,
        edges=edges,
        mistakes=list(_list_mistakes(judgements[AS_IS], documents[AS_IS], prints)),
    )


def _list_mistakes(
    judgement: Judgement, document: Mapping[str, Any], prints: Mapping[str, Fingerprint]
) -> Iterator[dict[str, Any]]:
    main = {edge["child"]: edge for edge in document["edges"] if edge["main"]}
    for verdict in judgement.verdicts:
        if not is_sure_wrong(verdict):
            continue
        edge, tensors = main[verdict.model], prints[verdict.model].tensors
        yield {
            "child": judgement.names[verdict.model],
            "architecture": verdict.architecture,
            "operation": verdict.operation,
            "named parent": judgement.names[edge["parent"]],
            "true parent": describe_truth(verdict, judgement.names),
            "fault": _name_fault(verdict),
            "confidence": edge["confidence"],
            "step": edge["evidence"]["relative_change"],
            "matrices": sum(tensor.is_matrix for tensor in tensors.values()),
            "direction": edge["evidence"]["direction"],
        }


def _name_fault(verdict: Verdict) -> str:
    if verdict.is_root:
        return "edge into a root"
    return "true parent named as its child" if verdict.adjacent else "another parent"


def summarise(found: Sequence[Ceiling]) -> list[dict[str, Any]]:
    """Rows of figures: each kind of zoo, and its architectures. Shares are in [0, 1]."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in found):
        same = [one for one in found if one.kind == kind]
        names = {v.architecture for one in same for v in one.judgements[AS_IS].verdicts}
        rows += [_make_row(kind, same, None), *(_make_row(kind, same, n) for n in sorted(names))]
    return rows


def _make_row(kind: str, found: Sequence[Ceiling], architecture: str | None) -> dict[str, Any]:
    edges = [e for one in found for e in one.edges if architecture in (None, e.architecture)]
    children = {
        oracle: [
            verdict
            for one in found
            for verdict in one.judgements[oracle].verdicts
            if architecture in (None, verdict.architecture)
            and not verdict.is_root
            and not verdict.orphan
        ]
        for oracle in ORACLES
    }
    consistent = [edge for edge in edges if not edge.contradicts]
    return {
        "zoos": kind if architecture is None else f"{kind}: {architecture}",
        "edges": len(children[AS_IS]),
        "undirected": _share(v.adjacent for v in children[AS_IS]),
        **{f"directed, {o}": _share(v.right for v in children[o]) for o in ORACLES},
        "trained edges": len(edges),
        "sign right": _share(e.odds > 0 for e in edges),
        "contradict themselves": _share(e.contradicts for e in edges),
        "sign right, consistent": _share(e.odds > 0 for e in consistent),
    }


def _share(values: Iterable[bool]) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same fields as a Markdown table."""
    if not rows:
        return "None.\n"
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for row in rows:
        cells = (f"{v:.3g}" if isinstance(v, float) else str(v or "") for v in row.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


LEGEND = """\
*true roots*: the engine with every family's root given. *contradictions settled*: the engine with
the parent confirmed of every trained edge whose evidence contradicts itself, one half of the
matrices against the other. *sign right*: how often the files of a true edge, taken alone, point
the right way.
"""


def write_results(found: Sequence[Ceiling], path: Path) -> Path:
    """Write ``path``.md and ``path``.json; gives the Markdown's path."""
    rows = summarise(found)
    mistakes = [{"zoo": one.zoo, **mistake} for one in found for mistake in one.mistakes]
    today = datetime.now(UTC).date().isoformat()
    path.parent.mkdir(parents=True, exist_ok=True)
    table = path.with_suffix(".md")
    table.write_text(
        f"# Ceiling, {today}\n\n{LEGEND}\n{format_table(rows)}\n"
        f"## Wrong with a confidence of 0.9 or more\n\n{format_table(mistakes)}"
    )
    edges = [{"zoo": one.zoo, **asdict(edge)} for one in found for edge in one.edges]
    content = {"date": today, "rows": rows, "sure_wrong": mistakes, "trained_edges": edges}
    path.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ceiling", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="zoos that are there already")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=[])
    parser.add_argument("--seeds", nargs="+", type=int, default=[11])
    parser.add_argument("--models", type=int, default=60, help=f"size of {', '.join(BY_MODELS)}")
    parser.add_argument("--families", type=int, help="families in the zoos of the other kinds")
    parser.add_argument("--out", type=Path, default=RESULTS / "ceiling", help="without ending")
    options = parser.parse_args(arguments)
    zoos = [Zoo(folder) for folder in options.folders]
    for kind in options.kinds:
        for seed in options.seeds:
            models = options.models if kind in BY_MODELS else None
            zoos.append(get_zoo(kind, seed, models=models, families=options.families))
    found = []
    for zoo in zoos:
        found.append(measure(zoo))
        print(f"{zoo.folder.name} done", file=sys.stderr, flush=True)
    print(format_table(summarise(found)))
    print(f"Written: {write_results(found, options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
