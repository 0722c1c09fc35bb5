"""The lake in distributions: arrivals, sizes, confidences, and what deltas would save."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from model_heritage_backend.clustering.calibration import HELD_OUT
from model_heritage_backend.clustering.delta_storage import estimate_saving
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.lake_figures import LakeFigures, StoredChild

MOST_DAYS = 92
"""Arrivals over a longer time are told by month."""
MOST_MONTHS = 240
"""Of a clock that once stood in another century no endless row of empty months is told."""
SIZES = (1, 2, 3, 5, 10, 20, 50, 100, 1000)
"""Families are counted from one of these to below the next."""
BINS = len(HELD_OUT)
AT_ONCE = 500
"""Pairs of files whose evidence is read together."""


class LakeStatistics:
    """Figures about all models. What was measured of files is remembered: files never change."""

    def __init__(self, database: Database) -> None:
        self._figures = LakeFigures(database)
        self._savings: dict[tuple[str, str], float] = {}

    def describe(self) -> dict[str, Any]:
        figures = self._figures
        return {
            "arrivals": count_by_time(figures.count_arrivals()),
            "formats": figures.list_formats(),
            "family_sizes": count_sizes(figures.list_family_sizes()),
            "parameters": count_decades(figures.list_parameters()),
            "confidence": count_confidences(figures.list_confidences()),
            "calibration": [place.to_dict() for place in HELD_OUT],
            "storage": self._describe_storage(figures.list_stored_children()),
        }

    def _describe_storage(self, children: Sequence[StoredChild]) -> dict[str, Any]:
        self._measure(children)
        rows: dict[str, Counter[str]] = defaultdict(Counter)
        for child in children:
            saving = self._savings.get((child.key, child.relation))
            row = rows[child.relation]
            row["models"] += 1
            row["measured"] += saving is not None
            row["bytes"] += child.bytes
            row["saved_bytes"] += round(child.bytes * (saving or 0.0))
        names = ("models", "measured", "bytes", "saved_bytes")
        relations = [
            {"relation": relation, **{name: row[name] for name in names}}
            for relation, row in sorted(rows.items(), key=lambda item: -item[1]["saved_bytes"])
        ]
        return {
            "relations": relations,
            **{name: sum(row[name] for row in relations) for name in names},
        }

    def _measure(self, children: Sequence[StoredChild]) -> None:
        """Remember what is not known yet, piece by piece: evidence of many files is large."""
        new = [child for child in children if (child.key, child.relation) not in self._savings]
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            evidence = self._figures.load_evidence(child.key for child in some)
            for child in some:
                saving = estimate_saving(child.relation, evidence.get(child.key))
                if saving is not None:
                    self._savings[child.key, child.relation] = saving


def count_by_time(days: Mapping[str, int]) -> dict[str, Any]:
    """Arrivals by day, or by month where they lie far apart; times without any count, too."""
    if not days:
        return {"unit": "day", "counts": []}
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    if (last - first).days < MOST_DAYS:
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        starts = [day.isoformat() for day in span]
        counts = Counter(days)
        unit = "day"
    else:
        counts = Counter()
        for day, count in days.items():
            counts[f"{day[:7]}-01"] += count
        months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
        starts = [f"{n // 12:04}-{n % 12 + 1:02}-01" for n in months[-MOST_MONTHS:]]
        unit = "month"
    return {
        "unit": unit,
        "counts": [{"start": start, "models": counts[start]} for start in starts],
    }


def count_sizes(sizes: Iterable[int]) -> list[dict[str, Any]]:
    """Families by their number of members; ``below`` is None for the largest."""
    sizes = list(sizes)
    bounds = [*pairwise(SIZES), (SIZES[-1], None)]
    return [
        {
            "least": least,
            "below": below,
            "families": sum(least <= size and (below is None or size < below) for size in sizes),
        }
        for least, below in bounds
    ]


def count_decades(parameters: Iterable[int]) -> list[dict[str, Any]]:
    """Models by powers of ten of their parameters, from the least to the most that occur."""
    counts = Counter(len(str(number)) - 1 for number in parameters)
    if not counts:
        return []
    return [
        {"least": 10**power, "below": 10 ** (power + 1), "models": counts[power]}
        for power in range(min(counts), max(counts) + 1)
    ]


def count_confidences(confidences: Iterable[float]) -> list[dict[str, Any]]:
    """Main edges by confidence; ``expected_right`` is how many should be right."""
    bins: list[list[float]] = [[] for _ in range(BINS)]
    for confidence in confidences:
        bins[min(int(confidence * BINS), BINS - 1)].append(confidence)
    return [
        {"least": place / BINS, "edges": len(found), "expected_right": round(sum(found), 3)}
        for place, found in enumerate(bins)
    ]
