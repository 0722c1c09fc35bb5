"""Factors between two models in one order whose layers were scaled against each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.disorder import BOTH_WAYS, SCALED_ABOVE, measure_length

Array = NDArray[np.float64]
Factors = Array
Scales = tuple[Factors | None, Factors | None]

EXPLAINED = 0.5
"""Share of the squared difference of two matrices, and of their squares, that may be left when one
was scaled back."""
LEAST = 0.05
"""Log factor of a whole side from which it is scaled back, where some are scaled far; it must also
be larger than the factors' deviation from it."""
SWEEPS = 20


def find_scales(
    pairs: Mapping[str, tuple[Array, Array]],
    units: Mapping[str, int],
) -> dict[str, Scales]:
    """Factors for rows and columns of the second of each pair; empty where training explains all.

    Lengths of rows and columns are made equal where their factors differ by more than training
    explains; otherwise a side has one factor, or none. Factors both up and down are needed: what
    one side gains another loses, while decay only shrinks.

    Parameters
    ----------
    pairs : name -> values in both models, (rows, columns), in the same order
    units : name -> number of units that share the columns evenly
    """
    logs: dict[str, tuple[Factors, Factors]] = {}
    lengths = [np.zeros(0)]
    for name, (x, y) in pairs.items():
        if min(x.shape) >= 2:
            rows, columns = _balance(x * x, y * y, units[name])
            rest = ((x - y * np.exp(rows)[:, None] * np.exp(columns)) ** 2).sum()
            if rest < min(EXPLAINED * ((x - y) ** 2).sum(), EXPLAINED * (x * x).sum()):
                logs[name] = rows, columns
        elif "running" not in name:
            lengths.append(measure_length(x.ravel(), y.ravel()))
    sides = [side for both in logs.values() for side in both]
    far = [side for side in sides if np.median(np.abs(side)) > SCALED_ABOVE]
    if not far:
        return {}
    grown = float(np.mean(np.concatenate(far + lengths) > 0.0))
    if min(grown, 1.0 - grown) < BOTH_WAYS:
        return {}
    found: dict[str, Scales] = {}
    known: list[Factors] = []
    for name, both in logs.items():
        of_rows, of_columns = _settle(both[0]), _settle(both[1])
        found[name] = of_rows, of_columns
        known += [] if of_rows is None else [of_rows]
        known += [] if of_columns is None else [1 / of_columns[:: len(of_columns) // units[name]]]
    for name, (x, y) in pairs.items():
        if x.shape[1] == 1:
            found[name] = _choose(x[:, 0], y[:, 0], known), None
    return found


def _settle(logs: Factors) -> Factors | None:
    """Of each unit, or of a whole side, or none."""
    middle, spread = float(np.median(logs)), _measure_spread(logs)
    if spread > SCALED_ABOVE:
        return np.exp(logs)
    return np.full_like(logs, np.exp(middle)) if abs(middle) > max(LEAST, spread) else None


def _balance(x: Array, y: Array, units: int) -> tuple[Factors, Factors]:
    """Log factors for rows and columns of y that give them the lengths of x's (Sinkhorn)."""
    rows, columns = np.zeros(len(x)), np.zeros(x.shape[1])
    each = x.shape[1] // units
    wanted = x.sum(1), x.sum(0).reshape(units, each).sum(1)
    for _ in range(SWEEPS):
        rows += _match(wanted[0], y @ np.exp(2 * columns) * np.exp(2 * rows))
        found = np.exp(2 * rows) @ y * np.exp(2 * columns)
        columns += np.repeat(_match(wanted[1], found.reshape(units, each).sum(1)), each)
    # What both sides have in common may be either's: that of the side whose units differ more.
    middle = float(np.median(columns))
    if _measure_spread(rows) < _measure_spread(columns):
        middle = -float(np.median(rows))
    return rows + middle, columns - middle


def _measure_spread(logs: Factors) -> float:
    return float(np.abs(logs - np.median(logs)).mean())


def _match(wanted: Factors, found: Factors) -> Factors:
    usable = (wanted > 0.0) & (found > 0.0)
    ratio = np.where(usable, wanted, 1.0) / np.where(usable, found, 1.0)
    logs: Factors = np.log(ratio) / 2
    return logs


def _choose(x: Factors, y: Factors, known: list[Factors]) -> Factors | None:
    """The factors of a matrix's side that bring a vector nearest to its counterpart, or none.

    Of a matrix that was scaled on both sides these are known up to a common factor.
    """
    best, least = None, float(((x - y) ** 2).sum())
    length = float(np.sqrt((x * x).sum()))
    for factors in known:
        if len(factors) != len(y):
            continue
        scaled = factors * y
        own = float(np.sqrt((scaled * scaled).sum()))
        for common in (1.0, length / own if own > 0.0 else 1.0):
            rest = float(((x - common * scaled) ** 2).sum())
            # Much nearer: a trained vector is always a little nearer when its length is fitted.
            if rest < EXPLAINED * least:
                best, least = common * factors, rest
    return best
