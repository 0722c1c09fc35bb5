"""Members whose units are in another order, or were scaled, are brought into the family's frame.

The frame is that of the largest group of members that agree as they stand. Each of the others is
put in the order of the relative there that is most like it, by all values of both files, and then
of the one that turns out to be nearest. What cannot be put in order stays in a frame of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, match_names
from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.disorder import are_out_of_order, find_frames
from model_heritage_backend.clustering.edge_judge import ExactSource
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.pair_statistics import AllPairs
from model_heritage_backend.clustering.renaming import measure_unlikeness
from model_heritage_backend.clustering.skeleton import grow_spanning_tree
from model_heritage_backend.fingerprints import Fingerprint

ROUGHLY = 2
"""Relatives in whose order a model is put at first; the better one counts."""
PASSES = 2
"""Along the tree: factors found by a distant relative hide who is nearest."""


@dataclass(frozen=True)
class FamilyView:
    """A family as its members stand.

    ``gains``: plain, (n, n). ``frames``: place -> group of members that agree as they stand.
    """

    family: AlignedFamily
    gains: NDArray[np.float64]
    frames: Mapping[int, int]

    @classmethod
    def take(cls, fingerprints: Mapping[str, Fingerprint], cache: PairCache) -> FamilyView:
        family = AlignedFamily.build(fingerprints)
        members = list(range(len(family)))
        pairs = cache.measure_statistics(family, members)
        return cls(family, pairs.plain_gains, find_plain_frames(family, members, pairs, cache))

    def list_frames(self) -> list[list[str]]:
        """Ids of each frame's members, by checksum; the largest frame first."""
        groups = defaultdict(list)
        for place in sorted(self.frames):
            groups[self.frames[place]].append(self.family.ids[place])
        return sorted(groups.values(), key=lambda group: -len(group))

    def list_frame_of(self, model: str) -> list[str]:
        """Ids of the members that agree with one as they stand, itself included."""
        frame = self.frames[self.family.ids.index(model)]
        return [i for place, i in enumerate(self.family.ids) if self.frames[place] == frame]

    def get_gain(self, a: str, b: str) -> float:
        return float(self.gains[self.family.ids.index(a), self.family.ids.index(b)])


def find_plain_frames(
    family: AlignedFamily,
    members: Sequence[int],
    pairs: AllPairs,
    cache: PairCache,
) -> dict[int, int]:
    """``find_frames`` before a tree is known: along the spanning tree of plain gains."""
    gains = pairs.plain_gains
    parents = {child: parent for parent, child in grow_spanning_tree(gains, members)}

    def judge(a: int, b: int) -> bool:
        if pairs.far[a, b] == 0.0 and family.shapes[a] == family.shapes[b]:
            return False
        name = family.name_members(a, b)
        return cache.disorder.recall(name, lambda: are_out_of_order(family, a, b))

    return find_frames(members, parents, gains, judge)


def put_in_order(
    fingerprints: Mapping[str, Fingerprint], exact: ExactSource, cache: PairCache
) -> dict[str, Arranged]:
    """The members that had to be put in order, and how they are then; by id.

    Nothing depends on the order of arrival: of frames of one size, that of the smallest checksum
    is the family's.
    """
    return _Sorter(fingerprints, exact, cache).sort()


@dataclass
class _Sorter:
    """``gains``: by leader, of its group's arrangement."""

    fingerprints: Mapping[str, Fingerprint]
    exact: ExactSource
    cache: PairCache
    arranged: dict[str, Arranged] = field(default_factory=dict)

    def sort(self) -> dict[str, Arranged]:
        view = FamilyView.take(self.fingerprints, self.cache)
        home, *strays = view.list_frames()
        for group in strays:
            self._arrange_roughly(view, home, group)
        for _ in range(PASSES if self.arranged else 0):
            view = FamilyView.take(self._get_prints(), self.cache)
            self._arrange_along_tree(view, home, strays)
        return self.arranged

    def _get_prints(self) -> dict[str, Fingerprint]:
        moved = {model: found.fingerprint for model, found in self.arranged.items()}
        return {**self.fingerprints, **moved}

    def _arrange_roughly(self, view: FamilyView, home: Sequence[str], group: Sequence[str]) -> None:
        """By those of the family's frame that are most like a group in what no order changes."""
        leader = self.fingerprints[group[0]]
        ranked = sorted(home, key=lambda i: measure_unlikeness(leader, self.fingerprints[i]))
        best = 0.0
        for reference in ranked[:ROUGHLY]:
            moved = self._arrange(view, group, reference)
            known = self.fingerprints[reference]
            if moved is None:
                continue
            gain = measure_gain(moved[group[0]].fingerprint, known)
            if gain > max(best, measure_gain(leader, known)):
                best = gain
                self.arranged |= moved

    def _arrange_along_tree(
        self, view: FamilyView, home: Sequence[str], strays: Sequence[Sequence[str]]
    ) -> None:
        """Once more, now that the nearest are known: from the family's frame outwards, each by the
        nearest that is in its final order.
        """
        final, frame = list(home), set(view.list_frame_of(home[0]))
        waiting = list(strays)
        while waiting:
            gains = [
                (view.get_gain(known, model), -place, model, known)
                for place, group in enumerate(waiting)
                for model in group
                for known in final
            ]
            _, place, model, reference = max(gains)
            group = waiting.pop(-place)
            ordered = [model, *(other for other in group if other != model)]
            moved = self._arrange(view, ordered, reference)
            prints = self._get_prints()
            if moved is not None and measure_gain(
                moved[model].fingerprint, prints[reference]
            ) > measure_gain(prints[model], prints[reference]):
                self.arranged |= moved
                final += group
            else:
                # What is still in another order puts nothing in order.
                final += [member for member in group if member in frame]

    def _arrange(
        self, view: FamilyView, group: Sequence[str], reference: str
    ) -> dict[str, Arranged] | None:
        """A group in the order of a relative, found by its first member; None where it stays."""
        known = self._get_prints()[reference]
        arrangement = self._find(group[0], reference, known)
        if arrangement is None:
            return None
        tensors = view.family.tensors[view.family.ids.index(reference)]
        arrangement = arrangement.call({t.name: common for common, t in tensors.items()})
        if not arrangement.changes:
            return None
        moved = self._apply(group, arrangement)
        return moved if len(moved) == len(group) else None

    def _find(self, model: str, reference: str, known: Fingerprint) -> Arrangement | None:
        key = known.checksum, self.fingerprints[model].checksum
        if key not in self.cache.arrangements:
            found = self.exact.find_arrangement(model, reference, self.arranged)
            self.cache.arrangements[key] = found
        return self.cache.arrangements[key]

    def _apply(self, group: Sequence[str], arrangement: Arrangement) -> dict[str, Arranged]:
        moved = {}
        first = self.fingerprints[group[0]]
        for model in group:
            own = self.fingerprints[model]
            names = {name: name for name in own.tensors}
            if model != group[0]:
                names = match_names(first, own)
            key = arrangement.digest, own.checksum
            if key not in self.cache.arranged:
                self.cache.arranged[key] = self.exact.arrange(model, arrangement.rename(names))
            found = self.cache.arranged[key]
            if found is not None:
                moved[model] = found
        return moved


def measure_gain(first: Fingerprint, second: Fingerprint) -> float:
    """Plain gain of two models, as they stand, in nats."""
    pairs = AllPairs.measure(AlignedFamily.build({"a": first, "b": second}), [0, 1])
    return float(pairs.plain_gains[0, 1])
