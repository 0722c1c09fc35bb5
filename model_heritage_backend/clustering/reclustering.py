"""All families and trees of a lake anew, a few families at a time.

Routes say who is related (``route_groups``), fingerprints are loaded of one family at a time, and a
family is stored as soon as it is solved. Families that were solved from just what they are made of
now are left as they are; so whoever is interrupted goes on where it was, by doing it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from model_heritage_backend.clustering.family_clustering import (
    ClusteringMethod,
    FamilyClusteringSystem,
    place_where_allowed,
)
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.relatedness import relate_all
from model_heritage_backend.clustering.route_groups import Groups, find_route_groups
from model_heritage_backend.clustering.routes import RouteBlock
from model_heritage_backend.clustering.solutions import is_solved, mark_round, name_solution
from model_heritage_backend.clustering.statements import Knowledge, Statement
from model_heritage_backend.clustering.store import Cause, Change, HeritageStore, ModelRecord
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder
from model_heritage_backend.fingerprints import Fingerprint

Progress = Callable[[float, str], None]
FEW = 256
"""Models whose structures share a matrix's shape, up to which all pairs are tested exactly."""
GROUPED = 0.1
"""Share of the progress by which all families are found."""


@dataclass(frozen=True)
class Outcome:
    """``families``: that there are now. ``solved``: those that were not as they should be."""

    families: int
    solved: int
    models_solved: int


class StoredPrints(Mapping[str, Fingerprint]):
    """Fingerprints of a store, loaded one at a time."""

    def __init__(self, store: HeritageStore, ids: Iterable[str]) -> None:
        self._store = store
        self._ids = dict.fromkeys(sorted(ids))

    def __getitem__(self, model_id: str) -> Fingerprint:
        if model_id not in self._ids:
            raise KeyError(model_id)
        return self._store.load_fingerprint(model_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


class Reclustering:
    """Finds and solves all families of a store.

    Parameters
    ----------
    stamp : of the program: another one solves everything anew
    """

    def __init__(
        self,
        store: HeritageStore,
        clustering: FamilyClusteringSystem,
        builder: MoTHerTreeBuilder,
        *,
        stamp: str,
    ) -> None:
        self._store = store
        self._clustering = clustering
        self._builder = builder
        self._stamp = stamp

    def run(self, report: Progress, *, round_: str | None = None) -> Outcome:
        """Leave what is as it should be, solve all else.

        Parameters
        ----------
        report : told the share that is done, in [0, 1], and a word on the present stage
        round_ : a name under which everything is solved anew, whatever it was solved from; what was
            solved under this name before counts as done
        """
        report(0.0, "finding families")
        records = {record.id: record for record in self._store.list_models()}
        statements = self._store.list_statements()
        known = Knowledge.gather(statements)
        groups = self._find_groups(records, known, lambda share: report(share, "finding families"))
        solved_from = self._store.list_solved()
        mentions: dict[str, list[Statement]] = defaultdict(list)
        for statement in statements:
            for model in statement.mentioned:
                mentions[model].append(statement)
        solved = models_solved = done = 0
        for families, members in self._list_closed(groups, records, solved_from):
            names = [self._name(group, records, mentions) for group in members]
            report(_share(done, len(groups)), _tell(done, len(groups)))
            # One family that was one before, of the same members: they are in its name.
            kept = [solved_from[f] for f in families] if len(families) == len(members) == 1 else []
            if not (kept and is_solved(kept[0], names[0], round_)):
                trees = []
                for group, name in zip(members, names, strict=True):
                    report(_share(done, len(groups)), _tell(done, len(groups)))
                    tree = self._solve(group, known)
                    trees.append(replace(tree, solved_from=mark_round(name, round_)))
                    done += 1
                self._store.replace_families(families, trees, Change(cause=Cause.RECLUSTER))
                solved += len(trees)
                models_solved += sum(len(group) for group in members)
            else:
                done += len(members)
        report(1.0, "done")
        return Outcome(len(groups), solved, models_solved)

    def _name(
        self,
        group: Sequence[str],
        records: Mapping[str, ModelRecord],
        mentions: Mapping[str, Sequence[Statement]],
    ) -> str:
        said = {s.id: s for model in group if model in mentions for s in mentions[model]}
        members = {model: records[model].checksum for model in group}
        return name_solution(members, said.values(), self._builder, stamp=self._stamp)

    def _solve(self, group: Sequence[str], known: Knowledge) -> FamilyTree:
        prints = {model: self._store.load_fingerprint(model) for model in group}
        # What is learnt of one family is of no use to the next, and all of it would not fit.
        builder = MoTHerTreeBuilder(
            self._store,
            method=self._builder.method,
            lambda_param=self._builder.lambda_param,
            distance_calculator=self._builder.distance_calculator,
            kurtosis_grows=self._builder.kurtosis_grows,
            exact=self._builder.exact,
            pairs=PairCache(),
        )
        return builder.solve(prints, known=known)

    def _list_closed(
        self,
        groups: Sequence[Sequence[str]],
        records: Mapping[str, ModelRecord],
        stored: Iterable[str],
    ) -> Iterator[tuple[list[str], list[Sequence[str]]]]:
        """Families of before and groups of now that share models with no others."""
        sets = Groups([*(f"f{f}" for f in stored), *(f"g{n}" for n in range(len(groups)))])
        for number, group in enumerate(groups):
            for model in group:
                family = records[model].family_id
                if family is not None:
                    sets.join(f"g{number}", f"f{family}")
        for names in sets.list_sets():
            yield (
                [name[1:] for name in names if name[0] == "f"],
                [groups[int(name[1:])] for name in names if name[0] == "g"],
            )

    # Who is one family ---------------------------------------------------------------------------

    def _find_groups(
        self,
        records: Mapping[str, ModelRecord],
        known: Knowledge,
        report: Callable[[float], None],
    ) -> list[list[str]]:
        prints = StoredPrints(self._store, records)
        if self._clustering.method is not ClusteringMethod.AUTO:
            # The specification's methods look at all distances.
            return self._clustering.cluster(dict(prints), known=known)
        buckets = list(list_buckets(self._store.list_routes()))
        total = max(sum(len(block.ids) for bucket in buckets for block in bucket), 1)
        groups: list[list[str]] = []
        done = 0
        for bucket in buckets:
            ids = [model for block in bucket for model in block.ids]
            if len(ids) <= FEW:
                groups += self._clustering.cluster({model: prints[model] for model in ids})
            else:
                groups += find_route_groups(
                    bucket, self._are_related, before=_list_edges(ids, records)
                )
            done += len(ids)
            report(GROUPED * done / total)
        models = {model for group in groups for model in group}
        groups = self._clustering.regroup(groups, StoredPrints(self._store, models), known)
        return self._place_adapters(groups, sorted(records.keys() - models), known)

    def _are_related(self, first: str, second: str) -> bool:
        prints = [self._store.load_fingerprint(model) for model in (first, second)]
        return bool(relate_all(prints)[0, 1])

    def _place_adapters(
        self, groups: Sequence[Sequence[str]], adapters: Sequence[str], known: Knowledge
    ) -> list[list[str]]:
        """Each with the group of its base, or by itself."""
        found = [list(group) for group in groups]
        place_of = {model: place for place, group in enumerate(groups) for model in group}
        for adapter in adapters:
            fingerprint = self._store.load_fingerprint(adapter)
            families: dict[int, dict[str, Fingerprint]] = defaultdict(dict)
            candidates = set(self._store.list_candidates(fingerprint))
            candidates |= {known.confirmed[adapter]} if adapter in known.confirmed else set()
            for model in sorted(candidates & place_of.keys()):
                families[place_of[model]][model] = self._store.load_fingerprint(model)
            place = place_where_allowed(adapter, fingerprint, families, known)
            if place is None:
                found.append([adapter])
            else:
                found[place].append(adapter)
        return sorted((sorted(group) for group in found), key=lambda group: (-len(group), group))


def _share(done: int, families: int) -> float:
    return GROUPED + (1.0 - GROUPED) * done / max(families, 1)


def _tell(done: int, families: int) -> str:
    return f"solving family {min(done + 1, families)} of {families}"


def list_buckets(blocks: Sequence[RouteBlock]) -> Iterator[list[RouteBlock]]:
    """Structures that share a matrix's shape, directly or through others: who is in two buckets is
    not related."""
    numbers = [f"{number:09d}" for number in range(len(blocks))]
    sets = Groups(numbers)
    first: dict[tuple[int, ...], str] = {}
    for name, block in zip(numbers, blocks, strict=True):
        for shape in block.layout.shapes:
            sets.join(first.setdefault(shape, name), name)
    for names in sets.list_sets():
        yield [blocks[int(name)] for name in names]


def _list_edges(models: Iterable[str], records: Mapping[str, ModelRecord]) -> list[tuple[str, str]]:
    among = set(models)
    ends = ((records[model].parent_id, model) for model in among)
    return [(parent, model) for parent, model in ends if parent is not None and parent in among]
