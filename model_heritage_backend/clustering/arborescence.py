"""Minimum arborescences of dense graphs: Chu-Liu/Edmonds in O(n^2).

Chu and Liu (1965), Edmonds (1967); the dense form follows Tarjan, "Finding optimum branchings"
(1977): walk along cheapest incoming edges, contract every cycle that closes, expand at the end.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model_heritage_backend.errors import InvalidRequest

NO_PARENT = -1
INFEASIBLE = -2


def find_minimum_arborescence(
    costs: NDArray[np.float64], *, root: int | None = None
) -> NDArray[np.int64]:
    """The spanning tree of least total cost whose edges all lead away from one root.

    Parameters
    ----------
    costs : (n, n) float64; ``costs[i, j]`` is the cost of parent i -> child j, of either sign;
        infinity where there is no edge. The diagonal is not looked at.
    root : the root, or None for the root that makes the tree cheapest

    Returns
    -------
    (n,) int64, the parent of each node; -1 for the root. Of trees that cost the same one is chosen
    by the indices of nodes, so equal input gives equal output.

    Raises
    ------
    InvalidRequest
        When the costs are not a square matrix of numbers, or no tree reaches every node.
    """
    costs = np.asarray(costs, np.float64)
    size = len(costs)
    if costs.shape != (size, size):
        raise InvalidRequest(f"Costs must be a square matrix, not of shape {costs.shape}.")
    if np.isnan(costs).any() or np.isneginf(costs).any():
        raise InvalidRequest("Costs must be numbers or positive infinity.")
    if root is not None and not 0 <= root < size:
        raise InvalidRequest(f"Root {root} is not one of the {size} nodes.")
    if size == 0:
        return np.zeros(0, np.int64)
    parents: NDArray[np.int64] = _solve(costs, size if root is None else root)
    if (parents == INFEASIBLE).any() or (parents == NO_PARENT).sum() != 1:
        missing = "any root" if root is None else f"root {root}"
        raise InvalidRequest(f"No arborescence reaches every node from {missing}.")
    return parents


@njit(cache=True, nogil=True)
def _solve(costs: NDArray[np.float64], root: int) -> NDArray[np.int64]:
    """Parents of the optimum; ``root`` = n stands for a virtual root above every node.

    Costs are compared as (level, cost, edge): level counts edges of the virtual root. It takes the
    place of a large constant, which would eat the digits of the true costs.
    """
    n = len(costs)
    slots = n + 1
    # Rows are children here, as the search for a cheapest incoming edge runs along rows.
    cost = np.full((slots, slots), np.inf)
    level = np.zeros((slots, slots), np.int32)
    edge = np.full((slots, slots), -1, np.int64)
    for child in range(n):
        if child == root:
            continue
        for parent in range(n):
            if parent != child:
                cost[child, parent] = costs[parent, child]
                edge[child, parent] = parent * slots + child
        if root == n:
            cost[child, n] = 0.0
            level[child, n] = 1
            edge[child, n] = n * slots + child

    active = np.ones(slots, np.bool_)
    active[n] = root == n
    settled = np.zeros(slots, np.bool_)  # connected to the root by chosen edges
    settled[root] = True
    on_path = np.zeros(slots, np.bool_)
    best = np.zeros(slots, np.int64)  # slot at the other end of a slot's chosen edge
    # A contracted cycle is a node of its own, numbered from ``slots`` on, in its first slot.
    node = np.arange(slots)
    above = np.full(2 * slots, -1, np.int64)
    chosen = np.full(2 * slots, -1, np.int64)
    created = slots
    path = np.empty(slots, np.int64)
    cycle = np.empty(slots, np.int64)
    parents = np.full(n, NO_PARENT, np.int64)

    for start in range(n):
        if settled[start] or not active[start]:
            continue
        length = 1
        path[0] = start
        on_path[start] = True
        while length > 0:
            child = path[length - 1]
            parent = _find_cheapest(child, cost, level, edge, active)
            if parent < 0:
                parents[:] = INFEASIBLE
                return parents
            best[child] = parent
            chosen[node[child]] = edge[child, parent]
            if settled[parent]:
                for i in range(length):
                    settled[path[i]] = True
                    on_path[path[i]] = False
                length = 0
            elif not on_path[parent]:
                path[length] = parent
                on_path[parent] = True
                length += 1
            else:
                count = 0
                while True:
                    length -= 1
                    cycle[count] = path[length]
                    count += 1
                    if path[length] == parent:
                        break
                merged = cycle[count - 1]
                for i in range(count):
                    above[node[cycle[i]]] = created
                _contract(cycle[:count], merged, best, cost, level, edge, active)
                for i in range(count - 1):
                    on_path[cycle[i]] = False
                node[merged] = created
                created += 1
                length += 1  # the cycle's first slot is still the end of the path

    # The edge into a contracted cycle takes the place of the edge into the member it ends at.
    for whole in range(created - 1, slots - 1, -1):
        member = chosen[whole] % slots
        while above[member] != whole:
            member = above[member]
        chosen[member] = chosen[whole]
    for child in range(n):
        if child != root:
            parent = chosen[child] // slots
            parents[child] = NO_PARENT if parent == n else parent
    return parents


@njit(cache=True, nogil=True)
def _is_cheaper(
    level: int | np.int32,
    cost: float,
    edge: int | np.int64,
    other_level: int | np.int32,
    other_cost: float,
    other_edge: int | np.int64,
) -> bool:
    if level != other_level:
        return bool(level < other_level)
    if cost != other_cost:
        return cost < other_cost
    return bool(edge < other_edge)


@njit(cache=True, nogil=True)
def _find_cheapest(
    child: int,
    cost: NDArray[np.float64],
    level: NDArray[np.int32],
    edge: NDArray[np.int64],
    active: NDArray[np.bool_],
) -> int:
    """Slot of the cheapest incoming edge, or -1 when there is none."""
    found = -1
    for parent in range(len(cost)):
        if not active[parent] or parent == child or cost[child, parent] == np.inf:
            continue
        if found < 0 or _is_cheaper(
            level[child, parent],
            cost[child, parent],
            edge[child, parent],
            level[child, found],
            cost[child, found],
            edge[child, found],
        ):
            found = parent
    return found


@njit(cache=True, nogil=True)
def _contract(
    cycle: NDArray[np.int64],
    merged: int,
    best: NDArray[np.int64],
    cost: NDArray[np.float64],
    level: NDArray[np.int32],
    edge: NDArray[np.int64],
    active: NDArray[np.bool_],
) -> None:
    """Make one node of a cycle, in the slot ``merged``.

    An edge into the cycle replaces the member's edge within it, so it costs the difference.
    """
    own_cost = np.empty(len(cycle))
    own_level = np.empty(len(cycle), np.int32)
    for i in range(len(cycle)):
        own_cost[i] = cost[cycle[i], best[cycle[i]]]
        own_level[i] = level[cycle[i], best[cycle[i]]]
        active[cycle[i]] = False
    for other in range(len(cost)):
        if not active[other]:
            continue
        in_cost, in_level, in_edge = np.inf, np.int32(0), np.int64(-1)
        out_cost, out_level, out_edge = np.inf, np.int32(0), np.int64(-1)
        for i in range(len(cycle)):
            member = cycle[i]
            if cost[member, other] != np.inf:
                less = cost[member, other] - own_cost[i]
                lower = np.int32(level[member, other] - own_level[i])
                if in_edge < 0 or _is_cheaper(
                    lower, less, edge[member, other], in_level, in_cost, in_edge
                ):
                    in_cost, in_level, in_edge = less, lower, edge[member, other]
            if cost[other, member] != np.inf and (
                out_edge < 0
                or _is_cheaper(
                    level[other, member],
                    cost[other, member],
                    edge[other, member],
                    out_level,
                    out_cost,
                    out_edge,
                )
            ):
                out_cost, out_level = cost[other, member], level[other, member]
                out_edge = edge[other, member]
        cost[merged, other], level[merged, other], edge[merged, other] = in_cost, in_level, in_edge
        cost[other, merged], level[other, merged] = out_cost, out_level
        edge[other, merged] = out_edge
    active[merged] = True
