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
INVALID = -3


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
    if root is not None and not 0 <= root < size:
        raise InvalidRequest(f"Root {root} is not one of the {size} nodes.")
    if size == 0:
        return np.zeros(0, np.int64)
    parents: NDArray[np.int64] = _solve(costs, size if root is None else root)
    if parents[0] == INVALID:
        raise InvalidRequest("Costs must be numbers or positive infinity.")
    if parents[0] == INFEASIBLE:
        missing = "any root" if root is None else f"root {root}"
        raise InvalidRequest(f"No arborescence reaches every node from {missing}.")
    return parents


@njit(cache=True, nogil=True)
def _solve(costs: NDArray[np.float64], root: int) -> NDArray[np.int64]:
    """Parents of the optimum; ``root`` = n stands for a virtual root above every node.

    An edge of the virtual root is only taken where there is no other: every tree needs as few of
    them as it can have. None of them is ever in a cycle, so contraction leaves that as it is. Of
    edges that cost the same, the one with the smaller number is taken.
    """
    n = len(costs)
    slots = n + 1
    parents = np.full(n, NO_PARENT, np.int64)
    # Rows are children here, as the search for a cheapest incoming edge runs along rows.
    cost = np.full((slots, slots), np.inf)
    edge = np.empty((slots, slots), np.int64)
    usable = True
    for child in range(n):
        for parent in range(n):
            price = costs[parent, child]
            if parent != child:
                usable = usable and price > -np.inf
                cost[child, parent] = np.inf if child == root else price
            edge[child, parent] = parent * slots + child
        if root == n:
            cost[child, n] = 0.0
        edge[child, n] = n * slots + child
        edge[n, child] = -1
    if not usable:
        parents[:] = INVALID
        return parents

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

    for start in range(n):
        if settled[start] or not active[start]:
            continue
        length = 1
        path[0] = start
        on_path[start] = True
        while length > 0:
            child = path[length - 1]
            parent = _find_cheapest(child, cost, edge, active)
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
                _contract(cycle[:count], merged, best, cost, edge, active)
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
    roots = 0
    for child in range(n):
        parent = chosen[child] // slots
        if child == root or parent == n:
            roots += 1
        else:
            parents[child] = parent
    if roots != 1:
        parents[:] = INFEASIBLE
    return parents


@njit(cache=True, nogil=True)
def _find_cheapest(
    child: int,
    cost: NDArray[np.float64],
    edge: NDArray[np.int64],
    active: NDArray[np.bool_],
) -> int:
    """Slot of the cheapest incoming edge, or -1 when there is none."""
    virtual = len(cost) - 1
    found, least = -1, np.inf
    for parent in range(virtual):
        price = cost[child, parent]
        if price > least or not active[parent] or price == np.inf or parent == child:
            continue
        if price < least or edge[child, parent] < edge[child, found]:
            found, least = parent, price
    if found < 0 and active[virtual] and cost[child, virtual] != np.inf:
        return virtual
    return found


@njit(cache=True, nogil=True)
def _contract(
    cycle: NDArray[np.int64],
    merged: int,
    best: NDArray[np.int64],
    cost: NDArray[np.float64],
    edge: NDArray[np.int64],
    active: NDArray[np.bool_],
) -> None:
    """Make one node of a cycle, in the slot ``merged``.

    An edge into the cycle replaces the member's edge within it, so it costs the difference.
    """
    own = np.empty(len(cycle))
    for i in range(len(cycle)):
        own[i] = cost[cycle[i], best[cycle[i]]]
        active[cycle[i]] = False
    for other in range(len(cost)):
        if not active[other]:
            continue
        in_cost, in_edge = np.inf, np.int64(-1)
        out_cost, out_edge = np.inf, np.int64(-1)
        for i in range(len(cycle)):
            member = cycle[i]
            less = cost[member, other] - own[i]
            if less < in_cost or (less == in_cost and edge[member, other] < in_edge):
                in_cost, in_edge = less, edge[member, other]
            more = cost[other, member]
            if more < out_cost or (more == out_cost and edge[other, member] < out_edge):
                out_cost, out_edge = more, edge[other, member]
        cost[merged, other], edge[merged, other] = in_cost, in_edge
        cost[other, merged], edge[other, merged] = out_cost, out_edge
    active[merged] = True
