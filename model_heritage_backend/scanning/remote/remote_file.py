"""A remote file as the readers see files: what was fetched is at hand, the rest is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from model_heritage_backend.scanning.remote.sources import CONNECTIONS, Source
from model_heritage_backend.weights.open_file import OpenFile

GAP = 1 << 12
"""Bytes between two ranges that cost less than a request of their own."""

Range = tuple[int, int]
"""First byte, and the one behind the last."""


class RemoteFile(OpenFile):
    """Reads by offset. Close its source when it is no longer needed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._begin(source.size, tells_cached=False)
        self._starts = [0]
        self._pieces = [source.head]
        self._wanted: list[Range] | None = None

    def close(self) -> None:
        self._end()

    def _fetch(self, offset: int, count: int) -> None:
        """``fetch`` gets what is needed, and nothing else."""

    @contextmanager
    def record(self) -> Iterator[list[Range]]:
        """Within the block, reads give zeros and are only noted: so that what a computation needs
        is known before it is fetched.
        """
        self._wanted = []
        try:
            yield self._wanted
        finally:
            self._wanted = None

    def fetch(self, ranges: Sequence[Range], on_bytes: Callable[[int], None]) -> None:
        """Have these at hand, over several connections.

        Parameters
        ----------
        ranges : ascending, as ``merge_ranges`` gives them
        on_bytes : called with the number of bytes that came since the last call
        """
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                coming = [pool.submit(self._source.read, *one) for one in ranges]
                pieces = []
                for future in coming:
                    pieces.append(future.result())
                    on_bytes(len(pieces[-1]))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        places = sorted(
            [
                *zip(self._starts, self._pieces, strict=True),
                *zip((start for start, _ in ranges), pieces, strict=True),
            ],
            key=lambda place: place[0],
        )
        self._starts = [start for start, _ in places]
        self._pieces = [piece for _, piece in places]

    def _fill(self, view: memoryview, offset: int) -> None:
        if self._wanted is not None:
            if len(view):
                self._wanted.append((offset, offset + len(view)))
            view[:] = bytes(len(view))
            return
        number = bisect_right(self._starts, offset) - 1
        skip = offset - self._starts[number]
        piece = self._pieces[number][skip : skip + len(view)]
        if len(piece) < len(view):
            piece = self._source.read(offset, offset + len(view))
        view[:] = piece


def merge_ranges(ranges: Sequence[Range], *, gap: int = GAP) -> list[Range]:
    """Ascending ranges that cover all of these; what lies less than ``gap`` apart is read at once.

    >>> merge_ranges([(90, 100), (0, 10), (5, 20), (25, 30)], gap=6)
    [(0, 30), (90, 100)]
    """
    merged: list[Range] = []
    for start, stop in sorted(ranges):
        if merged and start - merged[-1][1] < gap:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
