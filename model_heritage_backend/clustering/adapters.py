"""Which model was an unmerged adapter trained on? Proof, drift, or nothing but shapes.

An adapter's file holds the factors B and A of what it adds to the matrices of its base, but for a
scale. Where base and merged child are both here, their difference is B A to within rounding: proof.
Where they are not, B A still tells its family: training on similar data moves the descendants of
one base in like directions, and only relatives share the frame in which these are alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import limit_values, model_roundoff
from model_heritage_backend.clustering.sample_stacks import measure_squares
from model_heritage_backend.fingerprints import Fingerprint

Key = TypeVar("Key")
Matrix = NDArray[np.float64]

FIT_SHARE = 0.5
"""Adapters of several models at once (text encoder and U-Net) fit each of them in part."""
DRIFT_ABOVE = 6.0
"""Standard deviations by which the best pair of members agrees with an adapter. Of strangers of
the same shapes none reached 4."""
EXPLAINED = 0.25
"""Share of a pair's squared difference that the adapter explains at least, where rounding takes the
rest."""
TIE = 1.5
"""Pairs whose unexplained rest is no more than this many times the least are as good."""


SCREEN_SLACK = 1e-11
"""Rounding of sums of squares, as a share of them."""


class Basis(StrEnum):
    """Why an adapter is where it is.

    PROVEN : a member and another with the adapter merged into it are here
    DRIFT : the members' differences agree with what the adapter adds
    SHAPES : no other family has all of the adapted matrices in these shapes
    """

    PROVEN = "proven"
    DRIFT = "drift"
    SHAPES = "shapes"


CONFIDENCE = {Basis.PROVEN: 0.98, Basis.DRIFT: 0.45, Basis.SHAPES: 0.25}
"""That the model named is the base. Drift names the family; its best pair names the base in about
half of the cases."""


@dataclass(frozen=True)
class Verdict:
    """What one family says about an adapter.

    Attributes
    ----------
    fitting : members that have the adapted matrices, sorted
    complete : whether they have all of them
    base : the model adapted; None where only shapes speak
    merged : members that are the base with the adapter merged in, best first
    confidence : that the base is the right one, given the family
    z : agreement of the best pair of members, in standard deviations; 0 without pairs
    distance : norm of what is added over that of the adapted matrices; the scale is the one found
        in the merged child, else 1
    rank : median over the adapted matrices
    """

    basis: Basis
    fitting: tuple[str, ...]
    complete: bool
    base: str | None
    merged: tuple[str, ...]
    confidence: float
    z: float
    distance: float
    rank: int


def place_adapter(
    adapter: Fingerprint, families: Mapping[Key, Mapping[str, Fingerprint]]
) -> tuple[Key, Verdict] | None:
    """The one family that an adapter belongs to; None where none or more than one would do.

    The strongest kind of evidence that any family has decides. Depends on the set of families
    alone, not on their order.
    """
    verdicts = {key: judge_adapter(adapter, members) for key, members in families.items()}
    for basis in Basis:
        found = [
            (key, verdict)
            for key, verdict in verdicts.items()
            if verdict is not None
            and verdict.basis is basis
            and (basis is not Basis.SHAPES or verdict.complete)
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def judge_adapter(adapter: Fingerprint, members: Mapping[str, Fingerprint]) -> Verdict | None:
    """What a family says about an adapter; None where nobody has the matrices it adapts."""
    index = {m.structural_hash: NameIndex(m) for m in members.values()}
    verdicts = [
        _judge_oriented(adapter, members, index, turned=turned)
        for turned in ((False, True) if _has_squares(adapter) else (False,))
    ]
    order = list(Basis)
    known = [verdict for verdict in verdicts if verdict is not None]
    return min(known, key=lambda v: (order.index(v.basis), -v.z), default=None)


def _has_squares(adapter: Fingerprint) -> bool:
    return any(m.turned.size and m.shape == m.shape[::-1] for m in adapter.adapted.values())


class NameIndex:
    """A model's matrices by the endings of their names, whatever separates their components.

    kohya's names have underscores for dots; wrappers put components before names.
    """

    def __init__(self, fingerprint: Fingerprint) -> None:
        self._known: dict[str, str | None] = {}
        for name, tensor in fingerprint.tensors.items():
            if tensor.is_matrix:
                plain = name.replace(".", "_")
                self._known[plain] = None if plain in self._known else name
        self._reversed = sorted(plain[::-1] for plain in self._known)

    def find(self, target: str) -> str | None:
        """The matrix of which the target is an ending or that is an ending of the target."""
        plain = target.replace(".", "_")
        if plain in self._known:
            return self._known[plain]
        start = f"{plain[::-1]}_"
        place = bisect_left(self._reversed, start)
        longer = [name for name in self._reversed[place : place + 2] if name.startswith(start)]
        if longer:
            return self._known[longer[0][::-1]] if len(longer) == 1 else None
        while "_" in plain:
            _, plain = plain.split("_", 1)
            if plain in self._known:
                return self._known[plain]
        return None


@dataclass(frozen=True)
class _Fit:
    """``names``: target -> name in the model; ``samples`` of the change, turned as it is there."""

    names: Mapping[str, str]
    samples: Mapping[str, Matrix]


def _fit(adapter: Fingerprint, member: Fingerprint, index: NameIndex, *, turned: bool) -> _Fit:
    names: dict[str, str] = {}
    samples: dict[str, Matrix] = {}
    for target, matrix in adapter.adapted.items():
        name = index.find(target)
        if name is None or name in names.values():
            continue
        shape = member.tensors[name].shape
        if shape not in matrix.shapes:
            continue
        reverse = turned if matrix.shape == matrix.shape[::-1] else shape != matrix.shape
        sample = matrix.turned if reverse and matrix.turned.size else matrix.sample
        if sample.shape == member.tensors[name].sample.shape:
            names[target], samples[target] = name, sample.astype(np.float64)
    return _Fit(names, samples)


def _judge_oriented(
    adapter: Fingerprint,
    members: Mapping[str, Fingerprint],
    index: Mapping[str, NameIndex],
    *,
    turned: bool,
) -> Verdict | None:
    by_structure: dict[str, _Fit] = {}
    for member in members.values():
        if member.structural_hash not in by_structure:
            own = index[member.structural_hash]
            by_structure[member.structural_hash] = _fit(adapter, member, own, turned=turned)
    most = max((len(fit.names) for fit in by_structure.values()), default=0)
    if most < FIT_SHARE * len(adapter.adapted) or most == 0:
        return None
    ids = sorted(
        (i for i, m in members.items() if len(by_structure[m.structural_hash].names) == most),
        key=lambda i: (members[i].checksum, i),
    )
    fits = [by_structure[members[i].structural_hash] for i in ids]
    return _judge_pairs(adapter, ids, [members[i] for i in ids], fits)


def _judge_pairs(
    adapter: Fingerprint, ids: Sequence[str], models: Sequence[Fingerprint], fits: Sequence[_Fit]
) -> Verdict:
    pairs = _measure(models, fits)
    complete = len(fits[0].names) == len(adapter.adapted)
    rank = int(np.median([m.rank for m in adapter.adapted.values()]))
    best = divmod(int(np.argmax(pairs.z)), len(ids))
    z = float(pairs.z[best])
    proven = _find_proof(adapter, models, fits, pairs)
    basis, base, bases = Basis.SHAPES, None, 1
    merged: list[str] = []
    if proven:
        basis, base = Basis.PROVEN, ids[proven[0][0]]
        merged = [ids[j] for i, j in proven if i == proven[0][0]]
        bases = len({i for i, _ in proven})
    elif z > DRIFT_ABOVE:
        basis, base = Basis.DRIFT, ids[best[0]]
    place = ids.index(base) if base is not None else 0
    change = pairs.explained[proven[0]] if proven else pairs.added
    norm = float(pairs.norms[place])
    return Verdict(
        basis=basis,
        fitting=tuple(sorted(ids)),
        complete=complete,
        base=base,
        merged=tuple(merged),
        confidence=CONFIDENCE[basis] / bases,
        z=z,
        distance=min(float(np.sqrt(change / norm)), 1e30) if norm > 0 else 0.0,
        rank=rank,
    )


@dataclass(frozen=True)
class _Pairs:
    """Over the samples of the adapted matrices; first index base, second merged child.

    ``squares`` of differences, the part of them ``explained`` by the adapter with a positive scale
    of its own in each matrix, ``z`` of their agreement, ``norms`` (squared) of each member,
    ``added`` (squared norm of the change at scale 1), ``values`` of a member's samples.
    """

    squares: Matrix
    explained: Matrix
    z: Matrix
    norms: NDArray[np.float64]
    added: float
    values: int


def _measure(models: Sequence[Fingerprint], fits: Sequence[_Fit]) -> _Pairs:
    count = len(models)
    squares, explained, agreement, variance = (np.zeros((count, count)) for _ in range(4))
    norms = np.zeros(count)
    added, values = 0.0, 0
    for target in sorted(set.intersection(*(set(fit.names) for fit in fits))):
        change = fits[0].samples[target]
        size = float(np.linalg.norm(limit_values(change)))
        if not np.isfinite(change).all() or size == 0.0:
            continue
        unit = change / size
        stack = np.stack(
            [
                limit_values(m.tensors[fit.names[target]].sample)
                for m, fit in zip(models, fits, strict=True)
            ]
        )
        steps, apart = _project(stack, unit)
        squares += apart
        explained += np.minimum(np.maximum(steps, 0.0) ** 2, apart)
        norms += (stack**2).sum((1, 2))
        added += size**2
        values += change.size
        cosines, spread = _compare_centred(stack, unit)
        agreement += cosines
        variance += spread
    z = np.divide(agreement, np.sqrt(variance), out=np.zeros_like(agreement), where=variance > 0.0)
    return _Pairs(squares, explained, z, norms, added, values)


def _project(stack: Matrix, change: Matrix) -> tuple[Matrix, Matrix]:
    """Products of all differences with a change, and their squared norms; from row to column."""
    flat = (stack - stack[0]).reshape(len(stack), -1)
    along = flat @ change.ravel()
    return along[None, :] - along[:, None], measure_squares(stack, stack)


def _compare_centred(stack: Matrix, change: Matrix) -> tuple[Matrix, Matrix]:
    """Cosines of all differences with a change, and their variances between strangers.

    Strangers have their rows and columns in orders that have nothing to do with each other. Over
    all orders of the rows, the variance of <D, C> is |D C'|^2 / (rows - 1), over those of the
    columns |D' C|^2 / (columns - 1). Steps of low rank agree by chance far more than independent
    values would, above all where one side is the same to everybody: the pixels of a first layer, or
    activations that are all positive. The larger variance counts.
    """
    change = _centre(change)
    stack = _centre(stack - stack[0])
    steps, apart = _project(stack, change)
    left, sizes, right = np.linalg.svd(change, full_matrices=False)
    kept = sizes > 1e-6 * sizes.max(initial=0.0)
    rows, columns = change.shape
    by_row = (stack @ right[kept].T) * sizes[kept]
    by_column = np.swapaxes(stack, 1, 2) @ left[:, kept] * sizes[kept]
    spread = np.maximum(
        measure_squares(by_row, by_row) / max(rows - 1, 1),
        measure_squares(by_column, by_column) / max(columns - 1, 1),
    )
    moved = apart > 0.0
    scale = np.where(moved, apart, 1.0)
    # Cosines but for the change's norm, which is the same in both.
    return np.where(moved, steps / np.sqrt(scale), 0.0), np.where(moved, spread / scale, 0.0)


def _centre(values: Matrix) -> Matrix:
    """Without the means of rows and columns (the last two axes)."""
    values = values - values.mean(-1, keepdims=True)
    centred: Matrix = values - values.mean(-2, keepdims=True)
    return centred


def _find_proof(
    adapter: Fingerprint, models: Sequence[Fingerprint], fits: Sequence[_Fit], pairs: _Pairs
) -> list[tuple[int, int]]:
    """(base, merged child) whose difference is the adapter's change to within rounding.

    Those that leave least unexplained, best first; also in what the adapter does not change, as
    a base with another head leaves the same rest in the adapted matrices.
    """
    roundoff = np.array([max(model_roundoff(m), 2.0**-24) for m in models])
    worst = np.maximum(roundoff, model_roundoff(adapter))
    allowed = roundoff**2 * pairs.norms + (4 * worst) ** 2 * pairs.explained
    least = max(EXPLAINED, DRIFT_ABOVE**2 / max(pairs.values, 1))
    seems = (pairs.explained > 0.0) & (pairs.explained >= least * pairs.squares)
    # Differences of large numbers: what passes is computed again from differences.
    slack = SCREEN_SLACK * (pairs.squares + pairs.norms)
    seems &= pairs.squares - pairs.explained <= allowed + slack
    rests = {}
    for i, j in zip(*np.nonzero(seems), strict=True):
        pair = int(i), int(j)
        unexplained, rest = _measure_rest(models, fits, *pair)
        if unexplained <= allowed[pair]:
            rests[pair] = unexplained + rest
    limit = TIE * min(rests.values(), default=0.0)
    found = [pair for pair, rest in rests.items() if rest <= limit]
    return sorted(found, key=lambda pair: (rests[pair], pair))


def _measure_rest(
    models: Sequence[Fingerprint], fits: Sequence[_Fit], base: int, child: int
) -> tuple[float, float]:
    """Squares that the adapter leaves unexplained in the matrices it changes, and in all others."""
    unexplained = rest = 0.0
    changed = dict(zip(fits[base].names.values(), fits[base].names, strict=True))
    for name, tensor in models[base].tensors.items():
        target = changed.get(name)
        other = models[child].tensors.get(name if target is None else fits[child].names[target])
        if other is None or other.sample.shape != tensor.sample.shape:
            continue
        step = limit_values(other.sample) - limit_values(tensor.sample)
        if target is None:
            rest += float((step**2).sum())
            continue
        change = limit_values(fits[base].samples[target])
        size = float((change**2).sum())
        scale = max(float((step * change).sum()) / size, 0.0) if size > 0.0 else 0.0
        unexplained += float(((step - scale * change) ** 2).sum())
    return unexplained, rest
