"""Samples in the place of files: what stage B reads where the files are not at hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.weights.tensors import DType, LazyTensor


class SampleTensor(LazyTensor):
    """The sampled part of one tensor, as a tensor of its own."""

    def __init__(self, name: str, sample: NDArray[np.floating], *, vector: bool) -> None:
        shape = (len(sample),) if vector else sample.shape
        dtype = DType.F64 if sample.dtype == np.float64 else DType.F32
        super().__init__(name, tuple(shape), dtype)
        self._flat = np.ascontiguousarray(sample).ravel()

    def read_rows(self, start: int, stop: int) -> NDArray[np.floating]:
        """Decoded already, and not copied: several hundred are read for every edge."""
        width = self.row_size
        return self._flat[start * width : stop * width].reshape(stop - start, width)

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        return self._flat[start:stop]


def open_samples(family: AlignedFamily, member: int) -> Mapping[str, LazyTensor]:
    """A member's sampled tensors under the family's common names; integer tensors are left out."""
    return {
        name: SampleTensor(name, tensor.sample, vector=len(tensor.shape) < 2)
        for name, tensor in family.tensors[member].items()
        if DType(tensor.dtype).is_floating or tensor.is_matrix
    }
