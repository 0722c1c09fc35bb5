from __future__ import annotations

import subprocess
import sys

import numpy as np

from model_heritage_backend.clustering.assignment import assign
from model_heritage_backend.places import PROJECT


def test_cheapest_and_dearest() -> None:
    worths = np.array([[1.0, 2.0, 8.0], [2.0, 9.0, 3.0]])
    assert [list(order) for order in assign(worths)] == [[0, 1], [1, 0]]
    assert [list(order) for order in assign(worths, maximize=True)] == [[0, 1], [2, 1]]


def test_a_server_starts_without_it() -> None:
    code = "import model_heritage_backend.app, sys; print('scipy.optimize' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"
