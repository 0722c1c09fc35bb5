"""A fingerprint of a remote file from a small part of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from model_heritage_backend.errors import UnsupportedFormat
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_sampled
from model_heritage_backend.scanning.reading import name_sample
from model_heritage_backend.scanning.remote.remote_file import Range, RemoteFile, merge_ranges
from model_heritage_backend.scanning.remote.sources import Source
from model_heritage_backend.weights.formats import is_safetensors
from model_heritage_backend.weights.limits import get_limits
from model_heritage_backend.weights.quantised_layouts import unpack_quantised
from model_heritage_backend.weights.safetensors_file import open_safetensors
from model_heritage_backend.weights.tensors import Weights

ROWS = (64, 48, 32, 24, 20, 16, 14, 12, 10, 8)
"""Of each matrix: as many as the share of the file allows, and never fewer than the last."""
SHARE = 0.008
"""Of the file's bytes that may be read without asking; with what is read besides, below 1 %."""
ALWAYS_BYTES = 4 << 20
"""That are never too many: small files are read by larger shares."""


class CannotSample(UnsupportedFormat):
    """A file that must be read whole."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be read: ``rows`` of each matrix, which lie in these ranges."""

    rows: int
    ranges: tuple[Range, ...]

    @property
    def bytes(self) -> int:
        return sum(stop - start for start, stop in self.ranges)


class RemoteSample:
    """An open remote checkpoint, and what it takes to know it. Only safetensors files: their header
    says where everything is.

    Raises
    ------
    CannotSample
        When the file is of another format.
    HeritageError
        When it is broken, or its server fails.
    """

    def __init__(self, source: Source) -> None:
        if not is_safetensors(source.head):
            raise CannotSample("Only safetensors files can be known from a part of their bytes.")
        self._file = RemoteFile(source)
        self._weights: Weights = unpack_quantised(open_safetensors(self._file, get_limits()))
        self._budget = max(ALWAYS_BYTES, int(SHARE * source.size))
        self.plan = self._make_plan()

    def read(self, on_bytes: Callable[[int], None]) -> Fingerprint:
        """Fetch what the plan says. Compare the fingerprint with those of ``restrict_rows``."""
        self._file.fetch(self.plan.ranges, on_bytes)
        return name_sample(self._fingerprint(self.plan.rows))

    def _fingerprint(self, rows: int) -> Fingerprint:
        return fingerprint_sampled(self._weights, checksum="", rows=rows)

    @property
    def is_costly(self) -> bool:
        """Whether even the fewest rows are more than should be read without asking."""
        return self.plan.bytes > self._budget

    def _make_plan(self) -> Plan:
        for rows in ROWS:
            if rows > ROWS[-1] and self._estimate(rows) > self._budget:
                continue
            with self._file.record() as wanted:
                self._fingerprint(rows)
            plan = Plan(rows=rows, ranges=tuple(merge_ranges(wanted)))
            if plan.bytes <= self._budget:
                break
        return plan

    def _estimate(self, rows: int) -> int:
        """At least so many bytes."""
        return sum(
            min(rows, tensor.row_count) * tensor.row_size * tensor.dtype.itemsize
            for tensor in self._weights.values()
            if len(tensor.shape) > 1 and tensor.quantisation is None
        )
