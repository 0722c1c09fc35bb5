"""What follows from a model for those that came from it: descendants, recalls, licences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from model_heritage_backend.clustering.descent import (
    Link,
    Reach,
    trace_descendants,
    trace_effects,
    trace_sources,
)
from model_heritage_backend.clustering.genealogy import get_threshold
from model_heritage_backend.licences import WORDS, Restriction, find_licence
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.linked_families import LinkedFamilies, LinkedFamily

SURE, LIKELY = 0.9, 0.5
"""From these probabilities on, a model counts as surely or likely reached."""


@dataclass(frozen=True)
class Reached:
    """A model and the likeliest way to it. ``equal``: it has the very same weights."""

    id: str
    name: str
    probability: float
    relation: str
    equal: bool
    path: tuple[Link, ...]


@dataclass(frozen=True)
class Doubt:
    """Something of the family that cannot be ruled out: a model (``kind`` "model"), or a possible
    missing one ("ghost"). ``probability`` where the engine gives one, else None."""

    id: str
    name: str
    kind: str
    probability: float | None
    reason: str


@dataclass(frozen=True)
class Impact:
    """The recall report of a model."""

    model_id: str
    name: str
    family_id: str | None
    summary: str
    sure: tuple[Reached, ...]
    likely: tuple[Reached, ...]
    possible: tuple[Reached, ...]
    cannot_be_ruled_out: tuple[Doubt, ...]


@dataclass(frozen=True)
class Inherited:
    """A restriction of the licence declared for another model, by the likeliest way from there."""

    restriction: Restriction
    licence: str
    source: Reached


@dataclass(frozen=True)
class Heir:
    """A model that inherits from this one. ``dropped``: what this one's licence asks for and the
    licence declared for the heir is not known to; None where either is unknown."""

    model: Reached
    licence: str | None
    dropped: tuple[Restriction, ...] | None


@dataclass(frozen=True)
class LicenceReport:
    """What a model's licence, and those of its ancestors, ask for.

    ``restrictions`` is None where the declared licence is unknown, or none is declared.
    ``unknown_above``: ancestors whose licence is not declared or not known, by name and way.
    """

    model_id: str
    name: str
    licence: str | None
    restrictions: tuple[Restriction, ...] | None
    inherited: tuple[Inherited, ...]
    unknown_above: tuple[tuple[str | None, Reached], ...]
    heirs: tuple[Heir, ...]
    summary: str


class Consequences:
    """Answers that follow from a family's edges and their confidence alone, each with the names of
    the family's members by id."""

    def __init__(self, database: Database) -> None:
        self._linked = LinkedFamilies(database)

    def list_descendants(self, model_id: str) -> tuple[list[Reached], Mapping[str, str]]:
        """All that came from a model, the most probable first."""
        kin = self._linked.load(model_id)
        return [_tell(kin, reach) for reach in trace_descendants(kin.links, model_id)], kin.names

    def measure_impact(self, model_id: str) -> tuple[Impact, Mapping[str, str]]:
        """Should the model be flawed: what is reached, and what cannot be ruled out."""
        kin = self._linked.load(model_id)
        reached = [_tell(kin, reach) for reach in trace_effects(kin.links, model_id)]
        doubts = _list_doubts(kin, {one.id: one.probability for one in reached})
        sure = tuple(one for one in reached if one.probability >= SURE)
        likely = tuple(one for one in reached if SURE > one.probability >= LIKELY)
        possible = tuple(one for one in reached if one.probability < LIKELY)
        impact = Impact(
            model_id=model_id,
            name=kin.names[model_id],
            family_id=kin.family_id,
            summary=_summarise(kin, sure, likely, possible, doubts),
            sure=sure,
            likely=likely,
            possible=possible,
            cannot_be_ruled_out=tuple(doubts),
        )
        return impact, kin.names

    def follow_licence(self, model_id: str) -> tuple[LicenceReport, Mapping[str, str]]:
        """What the model inherits from its ancestors' licences, and who inherits from it."""
        kin = self._linked.load(model_id)
        text = kin.licences.get(model_id)
        own = find_licence(text)
        inherited: list[Inherited] = []
        unknown: list[tuple[str | None, Reached]] = []
        for reach in trace_sources(kin.links, model_id):
            source, above = _tell(kin, reach), kin.licences.get(reach.model_id)
            known = find_licence(above)
            if above is None or known is None:
                unknown.append((above, source))
            else:
                inherited += [Inherited(word, above, source) for word in known.restrictions]
        heirs = []
        for reach in trace_effects(kin.links, model_id):
            theirs = kin.licences.get(reach.model_id)
            known = find_licence(theirs)
            dropped = None
            if own is not None and known is not None:
                dropped = tuple(r for r in own.restrictions if r not in known.restrictions)
            heirs.append(Heir(_tell(kin, reach), theirs, dropped))
        report = LicenceReport(
            model_id=model_id,
            name=kin.names[model_id],
            licence=text,
            restrictions=None if own is None else own.restrictions,
            inherited=tuple(inherited),
            unknown_above=tuple(unknown),
            heirs=tuple(heirs),
            summary=_sum_up_licence(kin, inherited, unknown, heirs),
        )
        return report, kin.names


def _tell(kin: LinkedFamily, reach: Reach) -> Reached:
    return Reached(
        id=reach.model_id,
        name=kin.names[reach.model_id],
        probability=reach.probability,
        relation=reach.path[-1].relation,
        equal=all(link.relation == "duplicate" for link in reach.path),
        path=reach.path,
    )


def _list_doubts(kin: LinkedFamily, reached: Mapping[str, float]) -> list[Doubt]:
    """Members that are not reached, but whose own descent is not settled, and ghosts.

    What a model is made from cannot be made from it: ancestors by likely edges are left out.
    """
    inside = {kin.model_id: 1.0, **reached}
    above = {
        source.model_id
        for source in trace_sources(kin.links, kin.model_id)
        if source.probability >= LIKELY
    }
    main = {link.child: link for link in kin.links if link.main}
    orphans = {child for ghost in kin.ghosts for child in ghost.children}
    doubts = []
    for member in sorted(kin.names.keys() - inside.keys() - above):
        runner = kin.runners_up.get(member)
        if runner is not None and runner.parent in inside and runner.probability > 0.0:
            chance = runner.probability * inside[runner.parent]
            reason = f"Its second-best parent is {kin.names[runner.parent]}."
            doubts.append(Doubt(member, kin.names[member], "model", chance, reason))
            continue
        gap = _find_gap(kin, member, main, orphans)
        if gap is not None:
            doubts.append(Doubt(member, kin.names[member], "model", None, gap))
    over = _list_ghosts_above(kin, main)
    for ghost in kin.ghosts:
        if ghost.id not in over:
            count = len(ghost.children)
            reason = f"A model that seems to be missing; {count} here would have come from it."
            doubts.append(Doubt(ghost.id, ghost.id, "ghost", None, reason))
    return doubts


def _find_gap(
    kin: LinkedFamily, member: str, main: Mapping[str, Link], orphans: Collection[str]
) -> str | None:
    """Where the way up from a member is not settled; None when it is."""
    own = True
    while (link := main.get(member)) is not None:
        if link.confidence < get_threshold():
            sure = round(100 * link.confidence)
            if own:
                return f"Its parent is a guess ({sure} % sure)."
            return f"It comes from {kin.names[member]}, whose parent is a guess ({sure} % sure)."
        member, own = link.parent, False
    if member == kin.root_id:
        return None
    who = "Its parent" if own else f"It comes from {kin.names[member]}, whose parent"
    return f"{who} seems to be missing here." if member in orphans else f"{who} is not known."


def _list_ghosts_above(kin: LinkedFamily, main: Mapping[str, Link]) -> set[str]:
    """Ghosts on the model's own main line: it comes from them."""
    ghosts = {ghost.id: ghost for ghost in kin.ghosts}
    orphans = {child: ghost.id for ghost in kin.ghosts for child in ghost.children}
    above: set[str] = set()
    here: str | None = kin.model_id
    while here is not None:
        if here in ghosts:
            above.add(here)
            here = ghosts[here].parent
        else:
            here = main[here].parent if here in main else orphans.get(here)
        if here in above:
            break
    return above


def _summarise(
    kin: LinkedFamily,
    sure: Sequence[Reached],
    likely: Sequence[Reached],
    possible: Sequence[Reached],
    doubts: Sequence[Doubt],
) -> str:
    name = kin.names[kin.model_id]
    if kin.family_id is None:
        return f"{name} has no place in a family yet: nothing can be said."
    models = sum(doubt.kind == "model" for doubt in doubts)
    ghosts = len(doubts) - models
    reached = f"If {name} is flawed, {_count(len(sure), 'model')} of its family"
    reached += f" {'is' if len(sure) == 1 else 'are'} surely reached (90 % or more),"
    reached += f" {len(likely)} likely and {len(possible)} possibly."
    if not doubts:
        return f"{reached} No other model of the family is in doubt."
    parts = [_count(models, "more model")] if models else []
    parts += [_count(ghosts, "missing model")] if ghosts else []
    return f"{reached} {' and '.join(parts)} cannot be ruled out."


def _sum_up_licence(
    kin: LinkedFamily,
    inherited: Iterable[Inherited],
    unknown: Sequence[object],
    heirs: Sequence[Heir],
) -> str:
    name = kin.names[kin.model_id]
    words = sorted({i.restriction for i in inherited if i.source.probability >= LIKELY})
    terms = ", ".join(WORDS[word] for word in words)
    said = f"{name} likely inherits " + (f"these terms: {terms}" if terms else "no known terms")
    if unknown:
        said += (
            f"; the licences of {_count(len(unknown), 'ancestor')} are unknown, which is not free"
        )
    return f"{said}. {_count(len(heirs), 'model')} may inherit its own."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
