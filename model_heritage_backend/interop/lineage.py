"""What an export is made from: the models and families that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.interop.heritage_document import (
    DocumentModel,
    StoredFamily,
    build_heritage_document,
)


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """A part of the lake, ready to be written.

    Attributes
    ----------
    document : of the models asked for
    trees : their families, whole
    names : model id -> name, of all members of these families
    dtypes : model id -> number of values by storage type, of the same
    subject : the model whose lineage this is; None of families and of the lake
    whole_lake : whether nothing was left out
    """

    document: Mapping[str, Any]
    trees: Sequence[FamilyTree]
    names: Mapping[str, str]
    dtypes: Mapping[str, Mapping[str, int]]
    subject: str | None = None
    whole_lake: bool = False


def build_lineage(
    models: Sequence[DocumentModel],
    families: Sequence[tuple[StoredFamily, FamilyTree]],
    *,
    dtypes: Mapping[str, Mapping[str, int]],
    subject: str | None = None,
    whole_lake: bool = False,
) -> Lineage:
    """Of the models given or, with a ``subject``, of those that are on its line.

    Parameters
    ----------
    models : all members of the families, and models that have no family
    """
    trees = [tree for _, tree in families]
    shown, parts = models, trees
    if subject is not None:
        # Its own family, or none.
        parts = [restrict_to_line(tree, subject) for tree in trees]
        line = {subject, *(member for tree in parts for member in tree.members)}
        shown = [model for model in models if model.id in line]
    document = build_heritage_document(shown, parts, stored=[about for about, _ in families])
    return Lineage(
        document=document,
        trees=trees,
        names={model.id: model.path for model in models},
        dtypes=dtypes,
        subject=subject,
        whole_lake=whole_lake,
    )


def restrict_to_line(tree: FamilyTree, member: str) -> FamilyTree:
    """The part of a family that a model descends from or that descends from it, and itself.

    Every kind of edge leads on, and so do ghosts. A descendant's other parents are not on it.
    """
    links = [(edge.parent, edge.child) for edge in tree.edges]
    for ghost in tree.ghosts:
        links += [(ghost.id, child) for child in ghost.children]
        if ghost.parent is not None:
            links.append((ghost.parent, ghost.id))
    below = _follow(member, links)
    line = below | _follow(member, [(child, parent) for parent, child in links])
    ghosts = []
    for ghost in tree.ghosts:
        if ghost.id in line:
            kept = [place for place, child in enumerate(ghost.children) if child in line]
            ghosts.append(
                replace(
                    ghost,
                    children=tuple(ghost.children[place] for place in kept),
                    distances=tuple(ghost.distances[p] for p in kept) if ghost.distances else (),
                )
            )
    return replace(
        tree,
        members=tuple(m for m in tree.members if m in line),
        edges=tuple(e for e in tree.edges if e.parent in line and e.child in line),
        root=tree.root if tree.root in line else None,
        ghosts=tuple(ghosts),
    )


def _follow(start: str, links: Iterable[tuple[str, str]]) -> set[str]:
    """What can be reached, the start included."""
    onward: dict[str, list[str]] = {}
    for origin, end in links:
        onward.setdefault(origin, []).append(end)
    found, waiting = {start}, [start]
    while waiting:
        for end in onward.get(waiting.pop(), ()):
            if end not in found:
                found.add(end)
                waiting.append(end)
    return found
