"""A model with its units in the order and scale of another: as a rule, and as weights to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xxhash
from numpy.typing import NDArray

from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights, decode

Places = NDArray[np.int64]
Factors = NDArray[np.float64]
Read = Callable[[int, int], NDArray[np.generic]]

SCALED_ROUNDING = 4.0
"""Rounding errors of values that were scaled there and back, in units of roundoff."""


@dataclass(frozen=True)
class TensorOrder:
    """Where the values of one tensor come from, and what they are multiplied by.

    The tensor is seen as (first dimension, rest); None leaves a side as it stands.

    Attributes
    ----------
    name : what the tensor is called afterwards
    rows, columns : the row (column) that comes to each place
    row_factors, column_factors : > 0, of each row (column) at its new place
    """

    name: str
    rows: Places | None = None
    columns: Places | None = None
    row_factors: Factors | None = None
    column_factors: Factors | None = None

    @property
    def is_scaled(self) -> bool:
        return self.row_factors is not None or self.column_factors is not None


@dataclass(frozen=True)
class Arrangement:
    """How a model's tensors are brought into the frame of another, by their canonical names."""

    tensors: Mapping[str, TensorOrder]

    @property
    def is_scaled(self) -> bool:
        return any(order.is_scaled for order in self.tensors.values())

    @property
    def is_permuted(self) -> bool:
        orders = self.tensors.values()
        return any(order.rows is not None or order.columns is not None for order in orders)

    @property
    def changes(self) -> bool:
        """Whether anything is otherwise afterwards."""
        renamed = any(name != order.name for name, order in self.tensors.items())
        return renamed or self.is_permuted or self.is_scaled

    @property
    def digest(self) -> str:
        """The same for equal arrangements, on every machine."""
        found = xxhash.xxh3_128()
        for name, order in sorted(self.tensors.items()):
            found.update(f"{name}\0{order.name}\0".encode())
            for label in ("rows", "columns", "row_factors", "column_factors"):
                part = getattr(order, label)
                if part is not None:
                    found.update(label.encode())
                    found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()

    def call(self, names: Mapping[str, str]) -> Arrangement:
        """The same with tensors called otherwise afterwards: name -> name, or as they are."""
        found = {n: replace(o, name=names.get(o.name, o.name)) for n, o in self.tensors.items()}
        return Arrangement(found)

    def rename(self, names: Mapping[str, str]) -> Arrangement:
        """The same for a model that calls its tensors otherwise.

        ``names``: each of its names -> the one known here; what is not known stays as it stands.
        """
        used = {self.tensors[known].name for known in names.values() if known in self.tensors}
        return Arrangement(
            {
                name: self.tensors[known]
                if known in self.tensors
                else TensorOrder(f"{known} (other)" if known in used else known)
                for name, known in names.items()
            }
        )


@dataclass(frozen=True)
class Arranged:
    """A model as it is in the frame of its family.

    ``fingerprint``: taken anew; its checksum begins with the model's own, so members keep their
    places, and tells arrangements apart.
    """

    arrangement: Arrangement
    fingerprint: Fingerprint


class ArrangedTensor(LazyTensor):
    """A tensor read in another order; scaled values are float32 or float64."""

    def __init__(self, source: LazyTensor, order: TensorOrder) -> None:
        dtype = source.dtype
        if order.is_scaled and dtype is not DType.F64:
            dtype = DType.F32
        super().__init__(order.name, source.shape, dtype)
        self.quantisation = None if order.is_scaled else source.quantisation
        self._source = source
        self._order = order

    def read_raw(self, start: int, stop: int) -> NDArray[np.generic]:
        first, last = start // self.row_size, -(-stop // self.row_size)
        rows = self._gather_rows(self._source.read_raw, first, last)
        if self._order.is_scaled:
            rows = self._scale(rows, first, last)
        skipped = first * self.row_size
        return rows.ravel()[start - skipped : stop - skipped]

    def read_cells(self, start: int, stop: int) -> NDArray[np.float32]:
        first, last = start // self.row_size, -(-stop // self.row_size)
        skipped = first * self.row_size
        sides = []
        for side in (0, 1):

            def read(i: int, j: int, side: int = side) -> NDArray[np.generic]:
                cells: NDArray[np.float32] = self._source.read_cells(i, j)[side]
                return cells

            rows = self._gather_rows(read, first, last)
            sides.append(rows.ravel()[start - skipped : stop - skipped])
        return np.stack(sides).astype(np.float32, copy=False)

    def _gather_rows(self, read: Read, first: int, last: int) -> NDArray[np.generic]:
        order, width = self._order, self.row_size
        if order.rows is None:
            values = read(first * width, last * width).reshape(-1, width)
        elif width == 1:
            values = read(0, self._source.size)[order.rows[first:last]].reshape(-1, 1)
        else:
            values = np.empty((last - first, width), self._source.dtype.storage)
            for place, row in enumerate(order.rows[first:last]):
                values[place] = read(int(row) * width, (int(row) + 1) * width)
        return values if order.columns is None else values[:, order.columns]

    def _scale(self, values: NDArray[np.generic], first: int, last: int) -> NDArray[np.generic]:
        order = self._order
        scaled = decode(values, self._source.dtype)
        if order.row_factors is not None:
            scaled = scaled * order.row_factors[first:last, None]
        if order.column_factors is not None:
            scaled = scaled * order.column_factors
        return scaled.astype(self.dtype.storage)


class ArrangedWeights(Weights):
    """A model's tensors in another order, under the names they have there."""

    format, metadata = "arranged", {}

    def __init__(self, source: Mapping[str, LazyTensor], arrangement: Arrangement) -> None:
        """``source``: by canonical name; stays open as long as this is used."""
        arranged = (ArrangedTensor(t, arrangement.tensors[name]) for name, t in source.items())
        self._tensors = {tensor.name: tensor for tensor in arranged}

    def close(self) -> None:
        """The source is closed by whoever opened it."""


def arrange(
    weights: Mapping[str, LazyTensor], known: Fingerprint, arrangement: Arrangement
) -> Arranged:
    """Take a model's fingerprint in another order.

    Parameters
    ----------
    weights : by canonical name
    known : the fingerprint as it stands; values that are scaled back are rounded as these are
    """
    half = len(known.checksum) // 2
    found = fingerprint_weights(
        ArrangedWeights(weights, arrangement),
        checksum=known.checksum[:half] + arrangement.digest,
    )
    if arrangement.is_scaled:
        found = replace(
            found,
            bf16=known.bf16,
            fp16=known.fp16,
            grid_bits=known.grid_bits,
            quality=known.quality,
        )
    return Arranged(arrangement, found)
