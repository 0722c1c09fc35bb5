"""Pairs of rows and columns that are worth most together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.intp]


def assign(worths: NDArray[Any], *, maximize: bool = False) -> tuple[Order, Order]:
    """The optimal assignment (linear sum assignment).

    Parameters
    ----------
    worths : (m, n), real
    maximize : whether large values are good; else they are costs

    Returns
    -------
    Rows, ascending, and their columns; as many as the shorter side has.
    """
    # All of scipy.optimize takes .3 s to load: a server answers before it needs any of it.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(worths, maximize=maximize)
    return rows, columns
