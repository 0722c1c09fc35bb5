"""A heritage document against the truth: one verdict per model, then figures over verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from benchmarks.ghosts import GhostVerdicts, judge_ghosts
from benchmarks.pairs import PairVerdict

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the document says about one model, and whether that is so.

    Attributes
    ----------
    parent : the main parent the document names, None when it names none
    accepted : parents that are right: the true ones and exact duplicates of them; empty for a root
        and for an orphan
    orphan : the true parent was withheld, so no edge, or an unresolved one, is the right answer
    ancestors : of an orphan, the nearest ancestor that is there, and exact duplicates of it
    alike : parents that are right of an exact duplicate of the model, and are none themselves
    right : the named parent is accepted (never for a root)
    right_up_to_copies : the same after the best renaming of exact duplicates among each other,
        which no method can tell apart
    adjacent : an accepted parent is the model's neighbour, in whichever direction
    relation, true_relation : of the main edge; None without one
    merge_right : the document names a merge of exactly the true parents; None when neither the
        document nor the truth speaks of a merge
    coefficient_error : largest error of the two coefficients, for a right merge
    confidence : of the main edge; None without one
    resolved : the document does not doubt the main edge itself
    operation : how the model was made, by the truth
    """

    model: str
    architecture: str
    parent: str | None
    accepted: frozenset[str]
    right: bool
    right_up_to_copies: bool
    adjacent: bool
    relation: str | None
    true_relation: str | None
    merge_right: bool | None
    coefficient_error: float | None
    confidence: float | None
    orphan: bool = False
    ancestors: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()
    resolved: bool = True
    operation: str | None = None

    @property
    def is_root(self) -> bool:
        return not self.accepted and not self.orphan

    @property
    def is_sound(self) -> bool:
        """What a confidence speaks of: the named parent is right, where models of equal values
        count as one; or it is an orphan's nearest ancestor, which is a true statement.
        """
        return self.right or self.parent in self.ancestors | self.alike

    @property
    def abstains(self) -> bool:
        return self.parent is None or not self.resolved


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A whole zoo: verdicts on models, the families' labels, and verdicts on roots.

    ``labels`` holds (true family, named family) of every model; ``roots`` holds (architecture,
    whether the named root is right) of every true family of two or more models; where no single
    member is the others' ancestor, naming none is right. ``names`` are the zoo's own, by id.
    """

    verdicts: tuple[Verdict, ...]
    labels: tuple[tuple[str, str], ...]
    roots: tuple[tuple[str, bool], ...]
    ghosts: GhostVerdicts
    names: Mapping[str, str]
    pairs: tuple[PairVerdict, ...] = ()


def judge(truth: Document, document: Document, *, pairs: Sequence[PairVerdict] = ()) -> Judgement:
    """Compare a ``model-heritage/1`` document with a zoo's truth.

    Models are matched by file name. A model that the document lacks has no parent and a family of
    its own. ``pairs`` are kept with the rest.
    """
    ids = {model["file"]: model["id"] for model in truth["models"]}
    named = {
        model["id"]: ids[PurePosixPath(model["path"]).name]
        for model in document["models"]
        if PurePosixPath(model["path"]).name in ids
    }
    edges = [
        {**edge, "parent": named[edge["parent"]], "child": named[edge["child"]]}
        for edge in document["edges"]
        if edge["parent"] in named and edge["child"] in named
    ]
    copies = group_copies(truth)
    return Judgement(
        verdicts=tuple(_judge_models(truth, edges, copies)),
        labels=tuple(_pair_labels(truth, document, named)),
        roots=tuple(_judge_roots(truth, document, named, copies)),
        ghosts=judge_ghosts(truth, document, named, copies),
        names={model["id"]: model.get("name", model["id"]) for model in truth["models"]},
        pairs=tuple(pairs),
    )


def group_copies(truth: Document) -> dict[str, frozenset[str]]:
    """For every model, all models with exactly the same values (itself among them)."""
    groups = {model["id"]: {model["id"]} for model in truth["models"]}
    for edge in truth["edges"]:
        if edge["relation"] == "duplicate":
            joined = groups[edge["parent"]] | groups[edge["child"]]
            groups.update(dict.fromkeys(joined, joined))
    return {model: frozenset(group) for model, group in groups.items()}


def _judge_models(
    truth: Document, edges: Sequence[Document], copies: Mapping[str, frozenset[str]]
) -> list[Verdict]:
    main = {edge["child"]: edge for edge in edges if edge["main"]}
    pairs = {frozenset((edge["parent"], edge["child"])) for edge in main.values()}
    accepted = _list_accepted(truth, copies)
    right = {
        model: model in main and main[model]["parent"] in parents
        for model, parents in accepted.items()
    }
    forgiven = _forgive_copies(accepted, main, copies, right)
    true_main = {edge["child"]: edge for edge in truth["edges"] if edge["main"]}
    ancestors = {
        child: copies.get(ghost["ancestor"], frozenset())
        for ghost in truth.get("ghosts", ())
        for child in ghost["children"]
    }
    verdicts = []
    for model in truth["models"]:
        name = model["id"]
        edge = main.get(name, {})
        merge_right, error = _judge_merge(name, truth, edges, copies)
        verdicts.append(
            Verdict(
                model=name,
                architecture=model["architecture"],
                parent=edge.get("parent"),
                accepted=accepted[name],
                right=right[name],
                right_up_to_copies=forgiven[name],
                adjacent=any(frozenset((name, p)) in pairs for p in accepted[name]),
                relation=edge.get("relation"),
                true_relation=true_main.get(name, {}).get("relation"),
                merge_right=merge_right,
                coefficient_error=error,
                confidence=edge.get("confidence"),
                orphan=name in ancestors,
                ancestors=ancestors.get(name, frozenset()),
                alike=frozenset().union(*(accepted[m] for m in copies[name])) - copies[name],
                resolved=edge.get("resolved", True) and edge.get("relation") != "unresolved",
                operation=true_main.get(name, {}).get("operation"),
            )
        )
    return verdicts


def _list_accepted(
    truth: Document, copies: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    accepted: dict[str, set[str]] = {model["id"]: set() for model in truth["models"]}
    for edge in truth["edges"]:
        accepted[edge["child"]] |= copies[edge["parent"]] - {edge["child"]}
    return {model: frozenset(parents) for model, parents in accepted.items()}


def _forgive_copies(
    accepted: Mapping[str, frozenset[str]],
    main: Mapping[str, Document],
    copies: Mapping[str, frozenset[str]],
    right: Mapping[str, bool],
) -> dict[str, bool]:
    """``right`` when the members of every group of exact duplicates may swap places.

    A group hangs by one edge on the rest of the family. Whichever member the document hangs there
    stands for the original; the others are right when they hang on a member of the group.
    """
    forgiven = dict(right)
    for group in set(copies.values()):
        if len(group) == 1:
            continue
        original = next((m for m in sorted(group) if not accepted[m] & group), None)
        if original is None:
            continue
        inner = [m for m in sorted(group) if m in main and main[m]["parent"] in group]
        outer = [m for m in sorted(group) if m not in inner]
        # Members in the order of their roles: the original first, then its copies.
        roles = [original, *sorted(group - {original})]
        stand_in = next(
            (m for m in outer if m in main and main[m]["parent"] in accepted[original]), None
        )
        forgiven[original] = stand_in is not None
        for place, role in enumerate(roles[1:]):
            forgiven[role] = place < len(inner)
    return forgiven


def _judge_merge(
    child: str,
    truth: Document,
    edges: Sequence[Document],
    copies: Mapping[str, frozenset[str]],
) -> tuple[bool | None, float | None]:
    """Whether the parents are named, and the largest error of a coefficient.

    The base that task vectors are relative to may be named among them or not.
    """
    true = [e for e in truth["edges"] if e["child"] == child and e["relation"] == "merge"]
    told = [e for e in edges if e["child"] == child and e["relation"] == "merge"]
    if not true and not told:
        return None, None
    errors = []
    left = list(told)
    for edge in true:
        match = next((e for e in left if e["parent"] in copies[edge["parent"]]), None)
        if match is None:
            if edge.get("base"):
                continue
            return False, None
        left.remove(match)
        if None not in (match["coefficient"], edge["coefficient"]):
            errors.append(abs(match["coefficient"] - edge["coefficient"]))
    return (False, None) if left else (True, max(errors, default=None))


def _pair_labels(
    truth: Document, document: Document, named: Mapping[str, str]
) -> list[tuple[str, str]]:
    told = {
        named[model["id"]]: model["family"]
        for model in document["models"]
        if model["id"] in named and model["family"] is not None
    }
    return [
        (model["family"], told.get(model["id"], f"alone-{model['id']}"))
        for model in truth["models"]
    ]


def _judge_roots(
    truth: Document,
    document: Document,
    named: Mapping[str, str],
    copies: Mapping[str, frozenset[str]],
) -> list[tuple[str, bool]]:
    told = {named[f["root"]] for f in document["families"] if f["root"] in named}
    verdicts = []
    for family in truth["families"]:
        if family["root"] is None:
            members = {m["id"] for m in truth["models"] if m["family"] == family["id"]}
            right = not members & told
        else:
            right = bool(copies[family["root"]] & told)
        if family["size"] > 1:
            verdicts.append((family["architecture"], right))
    return verdicts
