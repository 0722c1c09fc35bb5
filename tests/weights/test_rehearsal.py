"""A file that kills, hangs or starves its reader is refused; nobody else notices."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model_heritage_backend.errors import HeritageError, InvalidWeights, NotFound, UnsupportedFormat
from model_heritage_backend.weights import open_weights, rehearsal
from model_heritage_backend.weights.formats import identify
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.rehearsal import Rehearsal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    torch.save({"weight": torch.ones(3, 3)}, path)
    return path


@pytest.fixture
def room() -> Iterator[Rehearsal]:
    room = Rehearsal()
    yield room
    room.close()


def hold(room: Rehearsal, path: Path) -> None:
    room.hold(path, identify(path), Limits())


def test_what_parses_passes_and_is_not_parsed_again(room: Rehearsal, file: Path) -> None:
    seconds = []
    for _ in range(100):
        started = time.monotonic()
        hold(room, file)
        seconds.append(time.monotonic() - started)
    assert sum(seconds[1:]) < 10 * seconds[0]
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InvalidWeights, match="ZIP container"):
        hold(room, file)


def test_refusals_come_through(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_text("only words")
    with pytest.raises(UnsupportedFormat, match="a text"):
        open_weights(tmp_path / "a.pt")
    with pytest.raises(NotFound):
        open_weights(tmp_path / "none.pt")


def break_parser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    """A room whose parser does as ``body`` says."""
    module = tmp_path / "broken_room.py"
    module.write_text(
        "import os, sys, socket, time\n"
        "sys.path.insert(0, os.getcwd())\n"
        "from model_heritage_backend.weights import rehearsal_room as room\n"
        f"def parse(path, *, limits):\n    {body}\n"
        "room.parse_weights = parse\n"
        "room.leave_network()\n"
        "room.serve(socket.socket(fileno=int(sys.argv[1])))\n"
    )
    monkeypatch.setattr(rehearsal, "ROOM", (str(module),))
    monkeypatch.setattr(rehearsal, "SECONDS", 1)
    monkeypatch.setattr(rehearsal, "PATIENCE", 2)


@pytest.mark.parametrize(
    "body",
    [
        "os.abort()",
        "time.sleep(60)",
        "[None for _ in iter(int, 1)]",
        "bytearray(1 << 40)",
        "[bytearray(1 << 20) for _ in range(10_000)]",
        "sys.setrecursionlimit(10**6); f = lambda: f(); f()",
        "open('/tmp/written-by-a-stranger', 'w').write('x' * 10_000)",
    ],
    ids=["crash", "sleep", "loop", "huge", "starve", "recursion", "write"],
)
def test_a_file_that_breaks_its_reader_is_refused(
    room: Rehearsal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path, body: str
) -> None:
    break_parser(monkeypatch, tmp_path, body)
    started = time.monotonic()
    with pytest.raises(InvalidWeights, match="more time or memory than is allowed"):
        hold(room, file)
    assert time.monotonic() - started < 60
    assert room._room is not None
    assert room._room.poll() is None, "the room itself lives on"
    written = Path("/tmp/written-by-a-stranger")
    assert not written.exists() or written.stat().st_size == 0
    written.unlink(missing_ok=True)


def test_a_room_that_was_ended_is_opened_again(room: Rehearsal, file: Path, tmp_path: Path) -> None:
    hold(room, file)
    assert room._room is not None
    os.kill(room._room.pid, signal.SIGKILL)
    room._room.wait()
    other = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(2, 2)}, other)
    hold(room, other)


def test_a_room_that_cannot_be_opened_is_no_fault_of_the_file(
    room: Rehearsal, monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setattr(rehearsal, "ROOM", ("-c", "import sys; sys.exit(3)"))
    with pytest.raises((RuntimeError, OSError), match=r"stay alive|Broken pipe"):
        hold(room, file)
    monkeypatch.undo()
    hold(room, file)


def test_many_threads_share_a_room(room: Rehearsal, tmp_path: Path) -> None:
    failed: list[HeritageError] = []

    def work(number: int) -> None:
        path = tmp_path / f"{number}.pt"
        torch.save({"weight": torch.full((2, 2), float(number))}, path)
        try:
            hold(room, path)
        except HeritageError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
