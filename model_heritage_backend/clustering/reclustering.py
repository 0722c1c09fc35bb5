"""All families and trees of a lake anew, a few families at a time.

Routes say who is related (``route_groups``), fingerprints are loaded of one family at a time, and a
family is stored as soon as it is solved. Families that were solved from just what they are made of
now are left as they are; so whoever is interrupted goes on where it was, by doing it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

from model_heritage_backend.clustering.family_clustering import (
    ClusteringMethod,
    FamilyClusteringSystem,
    place_where_allowed,
)
from model_heritage_backend.clustering.family_tasks import FamilyTask, OneByOne, Solvers
from model_heritage_backend.clustering.genealogy import FamilyTree
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
MANY = 2000
"""Models that are solved together faster than helpers begin: of small ones, ten seconds' work."""
TOGETHER = 400
"""Models whose trees are stored in one transaction: with one for each small family, the disk would
take half of the time."""
GROUPED = 0.1
"""Share of the progress by which all families are found."""


@dataclass(frozen=True)
class Outcome:
    """``families``: that there are now. ``solved``: those that were not as they should be."""

    families: int
    solved: int
    models_solved: int


@dataclass(frozen=True)
class Unsolved:
    """Families that are stored, and those that shall take their place: none, one or several."""

    families: Sequence[str]
    tasks: Sequence[FamilyTask]


class Tally:
    """Tells how many families are done.

    Parameters
    ----------
    report : told the share of all the work, and a word
    families : that there are
    done : of which these need nothing
    """

    def __init__(self, report: Progress, families: int, done: int) -> None:
        self._report = report
        self._families = families
        self._done = done

    def count(self, tasks: Iterable[FamilyTask]) -> Iterator[FamilyTask]:
        """Each task counts as done when the next one is asked for."""
        for task in tasks:
            self.tell()
            yield task
            self._done += 1

    def tell(self) -> None:
        share = self._done / max(self._families, 1)
        number = min(self._done + 1, self._families)
        stage = f"solving family {number} of {self._families}"
        self._report(GROUPED + (1.0 - GROUPED) * share, stage)


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

    def run(
        self, report: Progress, *, round_: str | None = None, helpers: Solvers | None = None
    ) -> Outcome:
        """Leave what is as it should be, solve all else.

        Parameters
        ----------
        report : told the share that is done, in [0, 1], and a word on the present stage
        round_ : a name under which everything is solved anew, whatever it was solved from; what was
            solved under this name before counts as done
        helpers : who solves MANY models or more; fewer are not worth calling them
        """
        report(0.0, "finding families")
        families, waiting = self._plan(lambda share: report(share, "finding families"), round_)
        solved = sum(len(part.tasks) for part in waiting)
        models = sum(len(task.members) for part in waiting for task in part.tasks)
        solvers: Solvers = OneByOne(self._store, self._builder)
        if helpers is not None and models >= MANY:
            solvers = helpers
        self._solve(waiting, solvers, Tally(report, families, families - solved))
        report(1.0, "done")
        return Outcome(families, solved, models)

    def _plan(
        self, report: Callable[[float], None], round_: str | None
    ) -> tuple[int, list[Unsolved]]:
        """How many families there are now, and what is not as it should be."""
        records = {record.id: record for record in self._store.list_models()}
        statements = self._store.list_statements()
        groups = self._find_groups(records, Knowledge.gather(statements), report)
        solved_from = self._store.list_solved()
        mentions: dict[str, list[Statement]] = defaultdict(list)
        for statement in statements:
            for model in statement.mentioned:
                mentions[model].append(statement)
        waiting = []
        for families, members in self._list_closed(groups, records, solved_from):
            tasks = [self._make_task(group, records, mentions) for group in members]
            # One family that was one before, of the same members: they are in its name.
            kept = [solved_from[f] for f in families] if len(families) == len(tasks) == 1 else []
            if not (kept and is_solved(kept[0], tasks[0].solved_from, round_)):
                marked = (replace(t, solved_from=mark_round(t.solved_from, round_)) for t in tasks)
                waiting.append(Unsolved(families, tuple(marked)))
        return len(groups), waiting

    def _solve(self, waiting: Sequence[Unsolved], solvers: Solvers, tally: Tally) -> None:
        tasks = tally.count(task for part in waiting for task in part.tasks)
        done: list[tuple[Unsolved, list[FamilyTree]]] = []
        with closing(solvers.solve(tasks, beat=tally.tell)) as trees:
            try:
                for part in waiting:
                    done.append((part, list(islice(trees, len(part.tasks)))))
                    if sum(len(t.members) for _, found in done for t in found) >= TOGETHER:
                        self._keep(done)
            finally:
                # Also when it is interrupted: what is solved need not be solved again.
                self._keep(done)

    def _keep(self, done: list[tuple[Unsolved, list[FamilyTree]]]) -> None:
        """Store what was solved, and forget it."""
        families = [family for part, _ in done for family in part.families]
        trees = [tree for _, found in done for tree in found]
        done.clear()
        if families or trees:
            self._store.replace_families(families, trees, Change(cause=Cause.RECLUSTER))

    def _make_task(
        self,
        group: Sequence[str],
        records: Mapping[str, ModelRecord],
        mentions: Mapping[str, Sequence[Statement]],
    ) -> FamilyTask:
        said = {s.id: s for model in group if model in mentions for s in mentions[model]}
        members = {model: records[model].checksum for model in group}
        name = name_solution(members, said.values(), self._builder, stamp=self._stamp)
        return FamilyTask(tuple(group), tuple(said.values()), name)

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
