"""What is worked out of one fingerprint, kept as long as that is in memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

Found = TypeVar("Found")


class PerModel(Generic[Found]):
    """A function of fingerprints that is called once for each of them."""

    def __init__(self, measure: Callable[[Fingerprint], Found]) -> None:
        self._measure = measure
        self._known: dict[int, tuple[weakref.ref[Fingerprint], Found]] = {}

    def __call__(self, fingerprint: Fingerprint) -> Found:
        place = id(fingerprint)
        known = self._known.get(place)
        if known is not None and known[0]() is fingerprint:
            return known[1]
        found = self._measure(fingerprint)
        # Forgotten with the fingerprint, before its place in memory is given to another.
        self._known[place] = weakref.ref(fingerprint, lambda _: self._known.pop(place, None)), found
        return found

    def __len__(self) -> int:
        """Fingerprints that are kept in mind."""
        return len(self._known)


class PerTensors(Generic[Found]):
    """A function of a model's tensors, by the names that its family gives them. Kept in mind where
    these are the model's own, as in most families.
    """

    def __init__(self, measure: Callable[[Mapping[str, TensorFingerprint]], Found]) -> None:
        self._measure = measure
        self._own = PerModel(lambda fingerprint: measure(fingerprint.tensors))

    def __call__(self, fingerprint: Fingerprint, tensors: Mapping[str, TensorFingerprint]) -> Found:
        if tensors is fingerprint.tensors:
            return self._own(fingerprint)
        return self._measure(tensors)
