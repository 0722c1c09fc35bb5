"""What happened to a family: its revisions, and what moved between two of them, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model_heritage_backend.clustering.genealogy import Edge
from model_heritage_backend.clustering.statements import Kind
from model_heritage_backend.clustering.store import Cause
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.revisions import History
from model_heritage_backend.models.snapshots import Snapshot
from model_heritage_backend.models.tables import Revision

Step = tuple[Revision, Snapshot]
Key = tuple[str, str | None]
"""(child, None) of a main edge, (child, parent) of a merge's further one."""


@dataclass(frozen=True)
class MemberChange:
    """A member that ``came`` or went, by the revision ``number``."""

    model_id: str
    name: str
    came: bool
    number: int
    why: str


@dataclass(frozen=True)
class EdgeChange:
    """An edge that is not as it was. ``kind``: added, removed, moved (another parent), changed
    (relation, confidence or distance). ``number``: of the revision that brought what is now."""

    kind: str
    child: str
    before: Edge | None
    after: Edge | None
    number: int
    why: str


@dataclass(frozen=True)
class Comparison:
    first: Step
    last: Step
    names: Mapping[str, str]
    members: Sequence[MemberChange]
    edges: Sequence[EdgeChange]


class FamilyHistory:
    """Questions about what families were."""

    def __init__(self, database: Database) -> None:
        self._history = History(database)

    def list_newest(
        self, family_id: str, *, limit: int, cursor: int | None
    ) -> tuple[list[Revision], int]:
        """Revisions below the number ``cursor``, and how many there are. Raises NotFound."""
        return self._history.list_newest(family_id, limit=limit, before=cursor)

    def get(self, family_id: str, number: int) -> Step:
        """A family as it was after one revision. Raises NotFound."""
        return self._history.get(family_id, number)

    def compare(self, family_id: str, one: int, other: int) -> Comparison:
        """What is not the same in two revisions, the earlier one first. Raises NotFound."""
        steps = self._history.load(family_id, min(one, other), max(one, other))
        names: dict[str, str] = {}
        for _, snapshot in steps:
            names.update(snapshot.names)
        return Comparison(
            steps[0], steps[-1], names, _compare_members(steps, names), _compare_edges(steps, names)
        )


def _compare_members(steps: Sequence[Step], names: Mapping[str, str]) -> list[MemberChange]:
    found = []
    first, last = (set(steps[place][1].names) for place in (0, -1))
    for member in sorted(first ^ last, key=lambda m: (names[m], m)):
        row = _find_last_change(steps, [member in snapshot.names for _, snapshot in steps])
        verb = "joined" if member in last else "left"
        why = f"{names[member]} {verb} the family {tell_cause(row)}."
        found.append(MemberChange(member, names[member], member in last, row.number, why))
    return found


def _compare_edges(steps: Sequence[Step], names: Mapping[str, str]) -> list[EdgeChange]:
    tables = [_index_edges(snapshot) for _, snapshot in steps]
    first, last = tables[0], tables[-1]
    keys = [key for key in first.keys() | last.keys() if first.get(key) != last.get(key)]
    found = []
    for key in sorted(keys, key=lambda k: (names[k[0]], k[0], k[1] or "")):
        before, after = first.get(key), last.get(key)
        edges = [table.get(key) for table in tables]
        moved = _get_parent(before) != _get_parent(after)
        row = _find_last_change(steps, [_get_parent(e) for e in edges] if moved else edges)
        if before is None or after is None:
            kind = "added" if before is None else "removed"
        else:
            kind = "moved" if moved else "changed"
        why = f"{_tell_edge(names, key[0], before, after)} {tell_cause(row)}."
        found.append(EdgeChange(kind, key[0], before, after, row.number, why))
    return found


def _find_last_change(steps: Sequence[Step], values: Sequence[object]) -> Revision:
    """The revision since which a value has been what it is in the end."""
    place = max(place for place in range(1, len(values)) if values[place] != values[place - 1])
    return steps[place][0]


def _index_edges(snapshot: Snapshot) -> dict[Key, Edge]:
    return {(e.child, None if e.main else e.parent): e for e in snapshot.tree.edges}


def _get_parent(edge: Edge | None) -> str | None:
    return edge.parent if edge else None


# Sentences ---------------------------------------------------------------------------------------


def _tell_edge(
    names: Mapping[str, str], child: str, before: Edge | None, after: Edge | None
) -> str:
    name = names[child]
    if after is None:
        return f"{name} lost its parent {_tell_parent(names, before)}"
    if before is None:
        return f"{name} got the parent {_tell_parent(names, after)}"
    if before.parent != after.parent:
        old, new = (_tell_parent(names, edge) for edge in (before, after))
        return f"{name}'s parent changed from {old} to {new}"
    edge = f"The edge from {names[after.parent]} to {name} changed"
    if before.relation is not after.relation:
        return f"{edge} from {before.relation.value} to {after.relation.value}"
    return f"{edge} from {_tell_trust(before)} to {_tell_trust(after)}"


def _tell_parent(names: Mapping[str, str], edge: Edge | None) -> str:
    return f"{names[edge.parent]} ({_tell_trust(edge)})" if edge else ""


def _tell_trust(edge: Edge) -> str:
    if edge.evidence.stated_by is not None:
        return f"stated by {edge.evidence.stated_by}"
    return f"{edge.confidence:.2f}"


def tell_cause(row: Revision) -> str:
    """What brought a revision about, as the end of a sentence."""
    said = _tell_statement(row) if row.statement else ""
    by = f" by {row.author}" if row.author else ""
    return {
        Cause.UPLOAD: f"when {row.model_name} was uploaded",
        Cause.REPROCESS: f"when {row.model_name} was placed again",
        Cause.DELETION: f"when {row.model_name} was deleted"
        if row.model_name
        else "when several models were deleted",
        Cause.CORRECTION: f"when {row.author} {said}",
        Cause.RETRACTION: f"when it was taken back{by} that somebody {said}",
        Cause.REBUILD: "when the family was solved again",
        Cause.RECLUSTER: "when all families were solved again",
        Cause.NAMING: f"when the family was named{by}",
    }[Cause(row.cause)]


def _tell_statement(row: Revision) -> str:
    told = row.statement or {}
    names = told["names"]
    model, parent = (names.get(told[end], told[end]) for end in ("model", "parent"))
    split = ", ".join(names.get(name, name) for name in told["models"])
    return {
        Kind.CONFIRM: f"confirmed {parent} as the parent of {model}",
        Kind.FORBID: f"ruled {parent} out as the parent of {model}",
        Kind.ROOT: f"pinned {model} as a root",
        Kind.SPLIT: f"split off {split}",
    }[Kind(told["kind"])]
