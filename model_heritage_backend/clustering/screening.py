"""Cheap first: which pairs of a family deserve a closer look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def list_nearest(
    nearness: NDArray[np.float64], members: Sequence[int], count: int
) -> set[tuple[int, int]]:
    """Each member with the ``count`` others that are nearest to it, ties to those that come first.

    Parameters
    ----------
    nearness : (n, n), larger for nearer pairs, -inf for pairs that are passed over
    members : places that take part

    Returns
    -------
    (lower place, higher place)
    """
    places = np.array(members)
    among = nearness[np.ix_(places, places)]
    np.fill_diagonal(among, -np.inf)
    nearest = np.argsort(-among, axis=1, kind="stable")[:, :count]
    rows = np.repeat(np.arange(len(places)), nearest.shape[1])
    usable = np.isfinite(among[rows, nearest.ravel()])
    ends = np.stack([places[rows], places[nearest.ravel()]])[:, usable]
    return set(zip(*np.sort(ends, axis=0).tolist(), strict=True))
