from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from model_heritage_backend.models.writer_turn import WriterTurn

HOLD = (
    "import sys; from pathlib import Path;"
    "from model_heritage_backend.models.writer_turn import WriterTurn\n"
    "with WriterTurn(Path(sys.argv[1])).take(1):\n"
    "    print('mine', flush=True); sys.stdin.read()"
)


def test_threads_take_turns(tmp_path: Path) -> None:
    turn = WriterTurn(tmp_path / "app.db")
    inside = []

    def work() -> None:
        for _ in range(20):
            with turn.take(30):
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not inside


def test_processes_take_turns_and_the_dead_keep_none(tmp_path: Path) -> None:
    turn = WriterTurn(tmp_path / "app.db")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "app.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(TimeoutError), turn.take(0.02):
            pass
        other.kill()
        other.wait()
        with turn.take(1):
            pass


def test_one_that_waited_in_vain_keeps_nothing(tmp_path: Path) -> None:
    turn = WriterTurn(tmp_path / "app.db")
    with turn.take(1), pytest.raises(TimeoutError), turn.take(0.02):
        pass
    with turn.take(0.02):
        pass
