"""A running server for the commands that talk to one, and a written genealogy for the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.client import Client
from model_heritage_backend.interop.document_text import write_document
from tests.processes import RealServer


@pytest.fixture(scope="session")
def running_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def running(running_data: Path, zoo_family: Zoo) -> Iterator[str]:
    """Address of a server with base, noisy and noisy-odd; tests may add what they remove again."""
    with RealServer(running_data) as server:
        url = f"http://127.0.0.1:{server.port}"
        with Client(url) as client:
            for name in ("base", "noisy", "noisy-odd"):
                client.upload(zoo_family.path(name), name=name)
        yield url


def describe_edge(parent: str, child: str, confidence: float, **changes: Any) -> dict[str, Any]:
    edge = {"parent": parent, "child": child, "main": True, "relation": "finetune"}
    edge |= {"confidence": confidence, "resolved": confidence >= 0.5, "coefficient": None}
    return edge | {"distance": 0.1, "evidence": {"flags": []}} | changes


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """base -> noisy -> odd, and merge from noisy (main) and rotated; guess hangs from base by a
    guess."""
    names = ("base", "noisy", "odd", "merge", "rotated", "guess")
    content = {
        "schema": "model-heritage/1",
        "models": [
            {
                "id": f"m_{name}",
                "path": f"a/{name}.pt",
                "checksum": str(number) * 64,
                "family": "F1",
                "total_parameters": 10,
                "quality": [],
            }
            for number, name in enumerate(names)
        ],
        "edges": [
            describe_edge("m_base", "m_noisy", 0.95),
            describe_edge("m_noisy", "m_odd", 0.9),
            describe_edge("m_noisy", "m_merge", 0.8, relation="merge", coefficient=0.6),
            describe_edge("m_rotated", "m_merge", 0.8, relation="merge", main=False),
            describe_edge("m_base", "m_rotated", 0.99),
            describe_edge("m_rotated", "m_guess", 0.3),
        ],
        "families": [
            {"id": "F1", "root": "m_base", "size": 6, "root_confidence": 0.9, "method": "heritage"}
        ],
        "ghosts": [],
        "errors": [],
    }
    path = tmp_path / "heritage.json"
    path.write_text(write_document(content), encoding="utf-8")
    return path
