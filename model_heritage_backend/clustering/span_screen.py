"""Which members are weighted sums of others, from a few matrices: a screen over all at once.

A member that is a sum of others is in their span, and so is each of the others in the span of the
rest. What the Gram matrix of a family says about one member given all others is the diagonal of
its inverse, so one inverse per matrix asks the question for every member.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, limit_values
from model_heritage_backend.clustering.copies import round_bfloat16
from model_heritage_backend.clustering.per_model import PerTensors
from model_heritage_backend.fingerprints import TensorFingerprint

MATRICES, FEWEST = 8, 2
"""Screened, those in which most members differ; in large families fewer."""
PRODUCTS, VALUES = 2**31, 4096
"""Products of values that all Gram matrices may cost, and values of most samples."""
VALUES_PER_MEMBER = 4
"""A matrix with fewer sampled values is a sum of any members."""
JITTER = 1e-13
"""Added to the diagonals, so that sums of each other can be inverted."""
LEFT_BY_JITTER = 16.0
ROUNDING = 16.0
"""Times (roundoff)^2 times the sum of squares: what rounding may leave of a sum of members."""
SLACK = 4.0
"""Times that, until values are looked at: by Gram matrices, the last digits are not sure."""
RELATIVE = 1e-3
"""Squared distance from the sum, relative to that from the nearest member, at most."""
EXPLAINED = 0.05
"""The same of members that may have part in a sum: a parent with a small coefficient is known only
with what is left of the child, divided by it."""
SHARED = 25.0
"""Times the rounding noise, for those whose nearest member is a rounded copy."""


@dataclass(frozen=True)
class SpanScreen:
    """Gram matrices of the members' samples.

    Attributes
    ----------
    members : places in the family
    grams : (matrices, n + 1, n + 1); products of the members' differences from a point amid them,
        and of that point itself, which comes last
    alone : (matrices, n), whether no other member has the same values
    noise : (matrices, n), squared distance that rounding may leave, of terms as large as any
    """

    members: tuple[int, ...]
    grams: NDArray[np.float64]
    alone: NDArray[np.bool_]
    noise: NDArray[np.float64]

    @classmethod
    def measure(cls, family: AlignedFamily, members: Sequence[int]) -> SpanScreen | None:
        """Of members that have all matrices in common; None where the samples are too small."""
        names = [n for n, t in family.tensors[members[0]].items() if t.is_matrix]
        enough = VALUES_PER_MEMBER * (len(members) + 2)
        ranked = []
        contents = family.describe(name_contents)
        for name in names:
            if family.tensors[members[0]][name].sample.size >= enough:
                labels = [contents[m][name] for m in members]
                counts = Counter(labels)
                alone = np.array([counts[label] == 1 for label in labels])
                ranked.append((-int(alone.sum()), name, alone))
        most = PRODUCTS // (len(members) ** 2 * VALUES)
        chosen = sorted(ranked, key=lambda r: r[:2])[: min(max(most, FEWEST), MATRICES)]
        if not chosen:
            return None
        grams, noise = [], []
        for _, name, _ in chosen:
            values = limit_values(
                np.stack([family.tensors[m][name].sample.ravel() for m in members])
            )
            # Rounded, the mean is in nobody's span.
            centre = round_bfloat16(values.mean(0))
            noise.append(np.full(len(members), (values**2).sum(1).max()))
            atoms = np.vstack([values - centre, centre])
            grams.append(atoms @ atoms.T)
        rounding = SLACK * ROUNDING * family.roundoff[list(members)] ** 2
        alone = np.stack([alone for *_, alone in chosen])
        return cls(tuple(members), np.stack(grams), alone, np.stack(noise) * rounding)

    def find_dependent(self, places: Sequence[int]) -> tuple[list[int], list[int]]:
        """(places that may be sums of the others, places that may have part in such a sum).

        Parameters
        ----------
        places : of ``members``, those that are looked at
        """
        index = np.array([*places, len(self.members)])
        grams = self.grams[:, index[:, None], index]
        scale = np.sqrt(np.maximum(np.diagonal(grams, axis1=1, axis2=2), 1e-300))
        normal = grams / (scale[:, :, None] * scale[:, None, :])
        inverse = np.linalg.inv(normal + JITTER * np.eye(len(index)))
        size = len(places)
        with np.errstate(divide="ignore"):
            left = scale[:, :size] ** 2 / np.maximum(
                np.diagonal(inverse, axis1=1, axis2=2)[:, :size], 1e-300
            )
        nearest = self._measure_nearest(grams[:, :size, :size])
        # The jitter leaves something of every member, too.
        noise = self.noise[:, index[:-1]] + LEFT_BY_JITTER * JITTER * scale[:, :size] ** 2
        coarsest = noise.max(1, keepdims=True)
        # A matrix that a member shares with another says nothing about where it is from.
        silent = ~self.alone[:, index[:-1]]
        rounded = silent | (left <= noise)
        explained = np.where(silent, 0.0, left).sum(0) <= RELATIVE * np.where(
            silent, 0.0, nearest
        ).sum(0)
        children = rounded.all(0) & explained & ~silent.all(0)
        parents = (silent | (left <= np.maximum(EXPLAINED * nearest, SHARED * coarsest))).all(0)
        return (
            [p for p, is_child in zip(places, children, strict=True) if is_child],
            [p for p, may_be in zip(places, parents, strict=True) if may_be],
        )

    @staticmethod
    def _measure_nearest(grams: NDArray[np.float64]) -> NDArray[np.float64]:
        """(matrices, n), squared distance of each to the nearest other that is not the same."""
        squares = np.diagonal(grams, axis1=1, axis2=2)
        distances = squares[:, :, None] + squares[:, None, :] - 2 * grams
        distances = np.where(distances > 1e-12 * squares[:, :, None], distances, np.inf)
        nearest: NDArray[np.float64] = distances.min(2)
        return nearest


@PerTensors
def name_contents(tensors: Mapping[str, TensorFingerprint]) -> Mapping[str, str | bytes]:
    """Of each matrix, by name: equal for equal values."""
    return {
        name: tensor.value_digest or xxhash.xxh3_128_digest(limit_values(tensor.sample).tobytes())
        for name, tensor in sorted(tensors.items())
        if tensor.is_matrix
    }
