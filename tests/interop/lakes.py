"""A large lake whose names are meant to break what they are written into."""

from __future__ import annotations

from functools import cache
from typing import Any

from model_heritage_backend.clustering.genealogy import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    Relation,
)
from model_heritage_backend.interop.heritage_document import DocumentModel, StoredFamily
from model_heritage_backend.interop.lineage import Lineage, build_lineage

HOSTILE = (
    "<script>alert(1)</script>",
    "\"double\" and 'single' ''",
    "line\nbreak\r\nand\ttab",
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "\N{DNA DOUBLE HELIX}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROSCOPE}",
    "back\\slash\\",
    "\\u0027}) MATCH (n) DETACH DELETE n //",
    "\\\\u005C",
    "'}) MATCH (n) DETACH DELETE n //",
    "a:b,(c)[d];{e}",
    "---\nbase_model: evil\n---",
    "# & * ! % ` ]]> &amp; -->",
    "\u202eright\u2028\ufeff",
    "nul\0bell\7\x85\ufffe",
    "$members /* ; */",
    "Base",
    "base",
    "123",
    " ",
)
SIZES = (399, 300, 200, 80, 20, 1)


@cache
def get_large_lineage() -> Lineage:
    """The whole lake of a thousand models; tests only read it."""
    return make_lineage(whole_lake=True)


def make_lineage(*, sizes: tuple[int, ...] = SIZES, **more: Any) -> Lineage:
    """Families f_0, f_1, ... of the sizes given; models f0_m0, f0_m1, ... with three children each.

    Every tenth model is a linear merge of its parent and the model before it, every seventh an
    unmerged adapter, every eleventh has no more than a guess of a parent. In the second family a
    ghost stands above the first two models, in the first below the root. With a ``subject``, its
    line alone.
    """
    models: list[DocumentModel] = []
    families = []
    for family, size in enumerate(sizes):
        ids = [f"f{family}_m{number}" for number in range(size)]
        models += [make_model(model_id, len(models) + place) for place, model_id in enumerate(ids)]
        about = StoredFamily(id=f"f_{family}", updated_at="2026-01-02T03:04:05.000Z")
        families.append((about, make_tree(family, ids)))
    if "subject" in more:
        own = more["subject"].split("_")[0]
        models = [model for model in models if model.id.startswith(f"{own}_")]
        families = [family for family in families if family[0].id == f"f_{own[1:]}"]
    dtypes = {model.id: {"BF16": 8, "F32": 1} for model in models}
    return build_lineage(models, families, dtypes=dtypes, **more)


def make_model(model_id: str, number: int) -> DocumentModel:
    return DocumentModel(
        id=model_id,
        path=HOSTILE[number % len(HOSTILE)],
        checksum=f"{number:064x}",
        total_parameters=7_000_000_000 + number,
        licence=(None, "apache-2.0", "l\"'ice\nnce")[number % 3],
        quality=("tiny",) if number % 5 == 0 else (),
    )


def make_tree(family: int, ids: list[str]) -> FamilyTree:
    edges: list[Edge] = []
    ghosts: tuple[Ghost, ...] = ()
    first = 1
    if family == 0 and len(ids) > 2:
        first = 3
        below = (ids[1], ids[2])
        ghosts = (Ghost(id="g", children=below, confidence=0.6, parent=ids[0]),)
    if family == 1 and len(ids) > 2:
        first = 2
        ghosts = (Ghost(id="g", children=(ids[0], ids[1]), confidence=0.6, distances=(0.1, 0.2)),)
    for number in range(first, len(ids)):
        edges += make_edges(ids, number)
    return FamilyTree(
        members=tuple(sorted(ids)),
        edges=tuple(edges),
        root=None if family == 1 else ids[0],
        root_confidence=0.8,
        method="heritage",
        ghosts=ghosts,
    )


def make_edges(ids: list[str], number: int) -> list[Edge]:
    parent, child = ids[(number - 1) // 3], ids[number]
    plain: dict[str, Any] = {"child": child, "confidence": 0.9, "distance": 0.1 / number}
    if number % 10 == 0:
        evidence = Evidence(merge_method="linear")
        share = {"relation": Relation.MERGE, "evidence": evidence}
        return [
            Edge(parent=parent, coefficient=1.25, **plain, **share),
            Edge(parent=ids[number - 1], coefficient=-0.25, main=False, **plain, **share),
        ]
    if number % 7 == 0:
        flags = Evidence(flags=("unmerged",), delta_rank=8)
        return [Edge(parent=parent, relation=Relation.ADAPTER, evidence=flags, **plain)]
    if number % 11 == 0:
        return [Edge(parent=parent, relation=Relation.UNRESOLVED, **plain | {"confidence": 0.3})]
    return [Edge(parent=parent, relation=Relation.FINETUNE, **plain)]
