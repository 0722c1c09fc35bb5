"""Families solved again: what their members form now takes their place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from model_heritage_backend.clustering.family_clustering import (
    FamilyClusteringSystem,
    place_where_allowed,
)
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.parts import find_parts
from model_heritage_backend.clustering.solutions import name_solution
from model_heritage_backend.clustering.statements import Knowledge, Statement
from model_heritage_backend.clustering.store import Change, HeritageStore
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder
from model_heritage_backend.fingerprints import Fingerprint


@dataclass(frozen=True)
class Affected:
    """What a change may move: families to replace, and the members that find their places anew.

    ``added`` and ``removed`` is a statement that counts as stored already, or no longer.
    """

    families: frozenset[str]
    members: frozenset[str]
    added: Statement | None = None
    removed: Statement | None = None


@dataclass(frozen=True)
class Solution:
    """Families that are replaced, and the trees that take their place."""

    replaced: tuple[str, ...]
    trees: tuple[FamilyTree, ...]

    @property
    def size(self) -> int:
        return sum(len(tree.members) for tree in self.trees)


@dataclass(frozen=True)
class Replaced:
    """``families`` that took the place of others, those that are ``gone``, and the number of
    members that were solved."""

    families: tuple[str, ...]
    gone: frozenset[str]
    size: int


class Regrouping:
    """Solves families of a store, with the adapters that belong to them."""

    def __init__(
        self,
        store: HeritageStore,
        family_clustering: FamilyClusteringSystem,
        tree_builder: MoTHerTreeBuilder,
        *,
        stamp: str = "",
    ) -> None:
        self._store = store
        self._clustering = family_clustering
        self._builder = tree_builder
        self._stamp = stamp

    def find_affected(
        self,
        family_ids: Iterable[str],
        extra: Iterable[str] = (),
        *,
        added: Statement | None = None,
        removed: Statement | None = None,
    ) -> Affected:
        """Some families, and those that people's word ties them to or keeps apart from them.

        Where a split goes through models of which nothing was said, or goes away, what belongs to
        whom is for all of its families to find out together.

        Parameters
        ----------
        extra : further models that take part
        """
        families: set[str] = set()
        members = set(extra)
        waiting = set(family_ids)
        while True:
            for family_id in sorted(waiting):
                members |= set(self._store.get_family(family_id).tree.members)
            families |= waiting
            stated = [*self._store.list_statements(members), *([added] if added else [])]
            # A forbidden parent or a root moves nobody to another family.
            tied = {name for s in stated if s.joins_or_splits for name in s.mentioned} - members
            owners = {self._store.get_model(name).family_id for name in tied}
            waiting = {owner for owner in owners if owner is not None} - families
            if not waiting:
                break
        return Affected(frozenset(families), frozenset(members), added, removed)

    def replace(
        self, affected: Affected, adapters: Iterable[str] = (), *, change: Change
    ) -> Replaced:
        """Put what the members form now in the place of families."""
        return self.keep(self.solve(affected, adapters), change)

    def keep(self, solution: Solution, change: Change) -> Replaced:
        """Store what was solved."""
        ids = self._store.replace_families(solution.replaced, solution.trees, change)
        return Replaced(tuple(ids), frozenset(solution.replaced) - set(ids), solution.size)

    def solve(self, affected: Affected, adapters: Iterable[str] = ()) -> Solution:
        """What members of families form now; nothing is stored.

        Adapters that might have their base among the members find their places anew among all
        families. One may join or leave a family that is not to be replaced: that one is solved
        again as well.

        Parameters
        ----------
        adapters : ids of others whose place may have changed
        """
        fingerprints = {m: self._store.load_fingerprint(m) for m in sorted(affected.members)}
        models = {m: f for m, f in fingerprints.items() if not f.is_adapter}
        known = self._recall(affected, fingerprints)
        clusters = self._clustering.cluster(models, known=known)
        groups = {f"new {i}": set(g) for i, g in enumerate(clusters)}
        moving = {*adapters, *(fingerprints.keys() - models.keys())}
        moving |= self.list_adapters(models.values())
        known = self._recall(affected, {*fingerprints, *moving})
        replaced = set(affected.families)
        for adapter in sorted(moving):
            before = self._store.get_model(adapter).family_id
            if before is None and adapter not in fingerprints:
                # It waits for its own turn.
                continue
            local = {key: {m: models[m] for m in g & models.keys()} for key, g in groups.items()}
            place = self._place_adapter(adapter, local, known) or adapter
            if before not in replaced and place in (before, self._get_only_member(before)):
                continue
            for family_id in {before, place} - {None, *replaced, *groups, adapter}:
                replaced.add(str(family_id))
                groups[str(family_id)] = set(self._store.get_family(str(family_id)).tree.members)
            for group in groups.values():
                group.discard(adapter)
            groups.setdefault(place, set()).add(adapter)
        everyone = {member for group in groups.values() for member in group}
        known = self._recall(affected, everyone)
        trees = [self._solve(group, known) for group in groups.values() if group]
        return Solution(tuple(sorted(replaced)), tuple(trees))

    def _solve(self, group: Collection[str], known: Knowledge) -> FamilyTree:
        prints = {m: self._store.load_fingerprint(m) for m in sorted(group)}
        said = [s for s in known.statements if not s.mentioned.isdisjoint(group)]
        checksums = {model: print_.checksum for model, print_ in prints.items()}
        name = name_solution(checksums, said, self._builder, stamp=self._stamp)
        return replace(self._builder.solve(prints, known=known), solved_from=name)

    def count_trees(self, affected: Affected, groups: Iterable[Collection[str]]) -> int:
        """How many trees families are made of, by what people state of their models."""
        count = 0
        for group in groups:
            prints = {m: self._store.load_fingerprint(m) for m in sorted(group)}
            models = {m: print_ for m, print_ in prints.items() if not print_.is_adapter}
            count += len(find_parts(models, self._recall(affected, models)).tops) if models else 0
        return count

    def _recall(self, affected: Affected, models: Collection[str]) -> Knowledge:
        """What people state of models, as if the change had happened."""
        stated = {s.id: s for s in self._store.list_statements(models)}
        if affected.removed is not None:
            stated.pop(affected.removed.id, None)
        if affected.added is not None:
            stated[affected.added.id] = affected.added
        return Knowledge.gather(stated.values())

    def list_adapters(self, models: Iterable[Fingerprint]) -> set[str]:
        """Ids of stored adapters that may have been made for one of these models."""
        structures = {f.structural_hash: f for f in models if not f.is_adapter}
        return {a for model in structures.values() for a in self._store.list_adapters(model)}

    def _place_adapter(
        self, adapter: str, families: Mapping[str, Mapping[str, Fingerprint]], known: Knowledge
    ) -> str | None:
        """Key of the given or id of the stored family that an adapter belongs to, if any does."""
        fingerprint = self._store.load_fingerprint(adapter)
        everywhere = {key: dict(members) for key, members in families.items()}
        here = {m for members in families.values() for m in members}
        candidates = set(self._store.list_candidates(fingerprint))
        candidates |= {known.confirmed[adapter]} if adapter in known.confirmed else set()
        for candidate in sorted(candidates - here):
            family_id = self._store.get_model(candidate).family_id
            if family_id is not None:
                print_ = self._store.load_fingerprint(candidate)
                everywhere.setdefault(family_id, {})[candidate] = print_
        return place_where_allowed(adapter, fingerprint, everywhere, known)

    def _get_only_member(self, family_id: str | None) -> str | None:
        members = self._store.get_family(family_id).tree.members if family_id else ()
        return members[0] if len(members) == 1 else None
