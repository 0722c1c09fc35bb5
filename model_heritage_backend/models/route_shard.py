"""All routes in one memory-mapped file: a copy of rows that can be thrown away at any time.

The table ``routes`` is the truth. The copy takes from it what it lacks whenever it is asked, so
nothing has to be written twice, and no crash can leave it wrong: each record has a checksum, and
what follows a damaged one is taken from the table again. Removed models stay in the copy until more
than half of it is of no use; whoever asks looks at the rows of what is found.
"""

from __future__ import annotations

import fcntl
import mmap
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from model_heritage_backend.clustering.routes import Layout, Routes, Structures
from model_heritage_backend.clustering.traits import TRAITS
from model_heritage_backend.fingerprints.summary import ROUTING_SIZE
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.staged_files import room_on_disk
from model_heritage_backend.models.tables import RouteRow, Structure

RECORD = np.dtype(
    [
        ("number", "<i8"),
        ("model", "S40"),
        ("structure", "S64"),
        ("outline", "<u8"),
        ("traits", "<f4", (TRAITS,)),
        ("crc", "<u4"),
    ]
)
TRAITS_AT = ROUTING_SIZE + 8
"""Where a row has the traits; the outline lies between them and the route."""
OVERLAP = 256
"""Latest rows that are asked for again: several writers may commit in another order than they
count."""
BATCH = 2000


@dataclass(frozen=True)
class Shard:
    """What the file holds of each model.

    Attributes
    ----------
    numbers, models : of the rows, and the models' ids
    structures : of each its number in ``layouts``
    outlines, traits : see ``clustering.traits``; (models,) and (models, TRAITS)
    routes : (models, ROUTING_SIZE)
    """

    numbers: NDArray[np.int64]
    models: NDArray[np.bytes_]
    structures: Structures
    outlines: NDArray[np.uint64]
    traits: NDArray[np.float32]
    layouts: tuple[Layout, ...]
    routes: Routes

    def get_model(self, place: np.integer[Any]) -> str:
        """Its id."""
        return bytes(self.models[int(place)]).decode()


class RouteShard:
    """The copy of one data folder; used by several threads, and processes on one machine."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._lock = threading.Lock()
        self._records = np.zeros(0, RECORD)
        self._structures = np.zeros(0, np.int64)
        self._layouts: dict[bytes, int] = {}
        self._known: list[Layout] = []
        self._recent: set[int] = set()

    def open(self) -> Shard:
        """All routes that are in the table now."""
        with self._lock, room_on_disk():
            self._folder.mkdir(exist_ok=True)
            with self._files() as (names, routes):
                self._read(names, routes)
                self._take(names, routes)
                records = self._records
                return Shard(
                    records["number"],
                    records["model"],
                    self._structures,
                    records["outline"],
                    records["traits"],
                    tuple(self._known),
                    _map(routes),
                )

    @contextmanager
    def _files(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        paths = [self._folder / name for name in ("names", "routes")]
        for path in paths:
            path.touch()
        with paths[0].open("r+b") as names, paths[1].open("r+b") as routes:
            fcntl.flock(names, fcntl.LOCK_EX)
            yield names, routes

    def _read(self, names: BinaryIO, routes: BinaryIO) -> None:
        """What the files have beyond what is known, as far as it is sound."""
        done = len(self._records)
        size = names.seek(0, 2) // RECORD.itemsize
        if size < done:
            # Another process has begun it anew.
            self._forget()
            done = 0
        if size == done:
            return
        names.seek(done * RECORD.itemsize)
        new = np.frombuffer(names.read((size - done) * RECORD.itemsize), RECORD)
        rows = _map(routes)[done:size]
        sound = 0
        while (
            sound < min(len(new), len(rows))
            and _sum_up(new[sound], rows[sound]) == (new[sound]["crc"])
        ):
            sound += 1
        self._learn(new[:sound])
        names.truncate((done + sound) * RECORD.itemsize)
        routes.truncate((done + sound) * ROUTING_SIZE)
        if done == 0 and (self._count_rows() * 2 < sound or not self._fits()):
            names.truncate(0)
            routes.truncate(0)
            self._forget()

    def _take(self, names: BinaryIO, routes: BinaryIO) -> None:
        """What the table has and the files lack."""
        last = int(self._records["number"].max(initial=0))
        query = select(RouteRow.number).where(RouteRow.number > last - OVERLAP)
        with self._database.read() as session:
            numbers = [n for n in session.scalars(query) if n not in self._recent]
            for start in range(0, len(numbers), BATCH):
                span = numbers[start : start + BATCH]
                wanted = set(span)
                found = [
                    row
                    for row in session.execute(
                        select(
                            RouteRow.number, RouteRow.model_id, RouteRow.structure, RouteRow.route
                        )
                        .where(RouteRow.number.between(min(span), max(span)))
                        .order_by(RouteRow.number)
                    )
                    if row[0] in wanted
                ]
                records = np.zeros(len(found), RECORD)
                rows = np.zeros((len(found), ROUTING_SIZE), np.int8)
                for place, (number, model, structure, data) in enumerate(found):
                    outline, traits = _read_traits(data)
                    records[place] = number, model.encode(), structure.encode(), outline, traits, 0
                    rows[place] = np.frombuffer(data, np.int8, ROUTING_SIZE)
                    records[place]["crc"] = _sum_up(records[place], rows[place])
                for file, data in ((routes, rows.tobytes()), (names, records.tobytes())):
                    file.seek(0, 2)
                    file.write(data)
                    file.flush()
                self._learn(records)

    def _learn(self, records: NDArray[np.void]) -> None:
        new = {bytes(structure) for structure in np.unique(records["structure"])}
        new -= self._layouts.keys()
        if new:
            with self._database.read() as session:
                # All of them: there are few, and a bound on values of a statement.
                for row in session.scalars(select(Structure).order_by(Structure.hash)):
                    if row.hash.encode() in new:
                        self._layouts[row.hash.encode()] = len(self._known)
                        self._known.append(
                            Layout.build(row.hash, [(n, tuple(s)) for n, s in row.matrices])
                        )
        # A structure may have gone with its last model.
        added = np.array([self._layouts.get(bytes(s), -1) for s in records["structure"]], np.int64)
        self._structures = np.concatenate([self._structures, added])
        self._records = np.concatenate([self._records, records])
        self._recent = set(np.sort(self._records["number"])[-2 * OVERLAP :].tolist())

    def _forget(self) -> None:
        self._records = np.zeros(0, RECORD)
        self._structures = np.zeros(0, np.int64)
        self._recent = set()

    def _fits(self) -> bool:
        """Whether the copy is of this database. An older one may have been put in its place, which
        gives numbers to other models that are in the copy already."""
        with self._database.read() as session:
            rows = session.execute(select(RouteRow.number, RouteRow.model_id))
            owners = {row.number: row.model_id for row in rows}
        numbers = self._records["number"].tolist()
        # A number beyond the table's may be that of a model that is gone, or be given again.
        return max(numbers, default=0) <= max(owners, default=0) and all(
            owners.get(number, model) == model
            for number, model in zip(
                numbers, (name.decode() for name in self._records["model"].tolist()), strict=True
            )
        )

    def _count_rows(self) -> int:
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(RouteRow)) or 0


def _read_traits(data: bytes) -> tuple[int, NDArray[np.float32]]:
    """Outline and traits of a row; 0, as no model has, of one from before there were any."""
    if len(data) == ROUTING_SIZE:
        return 0, np.zeros(TRAITS, np.float32)
    outline = np.frombuffer(data, "<u8", 1, ROUTING_SIZE)[0]
    return int(outline), np.frombuffer(data, "<f4", TRAITS, TRAITS_AT)


def _map(file: BinaryIO) -> Routes:
    size = file.seek(0, 2) // ROUTING_SIZE
    if size == 0:
        return np.zeros((0, ROUTING_SIZE), np.int8)
    mapped = mmap.mmap(file.fileno(), size * ROUTING_SIZE, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, np.int8).reshape(size, ROUTING_SIZE)


def _sum_up(record: np.void, route: NDArray[np.int8]) -> int:
    return zlib.crc32(route.tobytes(), zlib.crc32(record.tobytes()[: -RECORD["crc"].itemsize]))
