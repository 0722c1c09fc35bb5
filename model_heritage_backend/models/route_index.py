"""Which stored models may be relatives of a newcomer, without looking at all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from model_heritage_backend.clustering.route_groups import LOOK_Z
from model_heritage_backend.clustering.routes import (
    Layout,
    RouteBlock,
    calculate_scores,
    encode_route,
    list_matrices,
)
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.fingerprints import ADAPTER_MARK
from model_heritage_backend.models.route_shard import RouteShard
from model_heritage_backend.models.tables import FingerprintRow, MatrixShape, Model, RouteRow
from model_heritage_backend.models.trees import in_batches

FEW = 256
"""Models that share a matrix's shape with a newcomer, up to which all are looked at."""
FAMILIES_TRIED = 32
"""Families that are looked at in any case: those whose routes are nearest."""
MEMBERS_TRIED = 4
"""Of each family, those whose routes are nearest."""
NEAREST = 512
MOST = 20_000
"""Models, at least and at most, whose families are asked for."""


class RouteIndex:
    """The routes of a database, through their copy in a file."""

    def __init__(self, database: Database, shard: RouteShard) -> None:
        self._database = database
        self._shard = shard

    def list_likely(self, fingerprint: Fingerprint) -> dict[str, list[str]]:
        """Family id -> those of its members that a newcomer is to be compared with.

        All that share a matrix's shape where these are few. Else the nearest members of all
        families whose routes agree with the newcomer's, and of those that come next.
        """
        shard = self._shard.open()
        own = Layout.build(fingerprint.structural_hash, list_matrices(fingerprint))
        alike = [not own.shapes.isdisjoint(other.shapes) for other in shard.layouts]
        structures = np.where(np.array([*alike, False])[shard.structures], shard.structures, -1)
        places = np.flatnonzero(structures >= 0)
        if len(places) <= FEW:
            return self.group([shard.get_model(place) for place in places])
        route = encode_route(fingerprint)
        scores = calculate_scores(route, own, shard.layouts, shard.routes, structures)
        nearest = _list_nearest(scores[places])
        families = self.group([shard.get_model(place) for place in places[nearest]])
        agreed = {shard.get_model(p) for p in places[nearest] if scores[p] > LOOK_Z}
        likely: dict[str, list[str]] = {}
        for family, members in families.items():
            if len(likely) < FAMILIES_TRIED or not agreed.isdisjoint(members):
                likely[family] = members[:MEMBERS_TRIED]
        return likely

    def group(self, models: Sequence[str]) -> dict[str, list[str]]:
        """By family, in the order of the models; without those that have none or are gone."""
        families = self._find_families(models)
        found: dict[str, list[str]] = defaultdict(list)
        for model in dict.fromkeys(models):
            if model in families:
                found[families[model]].append(model)
        return found

    def _find_families(self, models: Sequence[str]) -> dict[str, str]:
        families: dict[str, str] = {}
        with self._database.read() as session:
            for ids in in_batches(models):
                query = (
                    select(Model.id, Model.family_id)
                    .join(FingerprintRow, FingerprintRow.model_id == Model.id)
                    .where(Model.id.in_(ids), FingerprintRow.admitted)
                    .where(Model.family_id.is_not(None))
                )
                families.update((model, str(family)) for model, family in session.execute(query))
        return families

    def iterate_blocks(self) -> Iterator[RouteBlock]:
        """The routes of all admitted models, by structure."""
        query = (
            select(RouteRow.number)
            .join(FingerprintRow, FingerprintRow.model_id == RouteRow.model_id)
            .where(FingerprintRow.admitted)
        )
        with self._database.read() as session:
            numbers = np.fromiter(session.scalars(query), np.int64)
        shard = self._shard.open()
        live = np.isin(shard.numbers, numbers)
        for number, layout in enumerate(shard.layouts):
            places = np.flatnonzero(live & (shard.structures == number))
            if len(places):
                ids = [shard.get_model(place) for place in places]
                yield RouteBlock(layout, ids, shard.routes, places)

    def list_missing(self) -> list[str]:
        """Models that were stored before there were routes; adapters have none."""
        adapters = select(MatrixShape.model_id).where(MatrixShape.shape.startswith(ADAPTER_MARK))
        query = (
            select(FingerprintRow.model_id)
            .outerjoin(RouteRow, RouteRow.model_id == FingerprintRow.model_id)
            .where(RouteRow.number.is_(None), FingerprintRow.model_id.not_in(adapters))
        )
        with self._database.read() as session:
            return list(session.scalars(query.order_by(FingerprintRow.model_id)))


def _list_nearest(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places of the models whose families are asked for, nearest first."""
    count = min(max(int((scores > LOOK_Z).sum()), NEAREST), MOST, len(scores))
    nearest = np.argpartition(-scores, count - 1)[:count]
    return nearest[np.argsort(-scores[nearest], kind="stable")]
