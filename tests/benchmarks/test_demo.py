"""The demonstration's two trees and its words."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.tree import Tree

from benchmarks import demo
from benchmarks.demo import Uploaded, count_right, draw_recovered, draw_true
from benchmarks.scoring import judge
from benchmarks.zoo import Zoo
from model_heritage_backend.client import Client
from tests.processes import RealServer


def print_text(tree: Tree) -> str:
    written = io.StringIO()
    Console(file=written, width=120).print(tree)
    return written.getvalue()


@pytest.fixture
def uploaded(zoo_family: Zoo) -> Uploaded:
    ids = {name: f"m_{number}" for number, name in enumerate(sorted(zoo_family.ids))}
    return Uploaded(ids=ids, known_before=frozenset())


@pytest.fixture
def true_document(zoo_family: Zoo, uploaded: Uploaded) -> dict[str, Any]:
    """What a server that is always right would say."""
    server = {zoo_family.ids[name]: model_id for name, model_id in uploaded.ids.items()}
    return {
        "models": [
            {"id": i, "path": zoo_family.path(name).name, "family": "f_1"}
            for name, i in uploaded.ids.items()
        ],
        "edges": [
            {
                "parent": server[edge["parent"]],
                "child": server[edge["child"]],
                "main": edge["main"],
                "relation": edge["relation"],
                "coefficient": edge["coefficient"],
                "confidence": 0.97,
            }
            for edge in zoo_family.truth["edges"]
        ],
        "families": [{"id": "f_1", "root": uploaded.ids["base"]}],
    }


def test_the_true_tree_shows_every_model_under_its_parent(zoo_family: Zoo) -> None:
    lines = print_text(draw_true(zoo_family)).splitlines()
    assert len(lines) == 1 + 12
    base = next(line for line in lines if "base" in line)
    odd = next(line for line in lines if "noisy-odd finetune" in line)
    lora = next(line for line in lines if "noisy-odd-lora adapter" in line)
    assert base.find("base") < odd.find("noisy-odd") < lora.find("noisy-odd")
    assert any("noisy-rotated merge and noisy" in line for line in lines)


def test_a_right_tree_has_only_ticks(
    zoo_family: Zoo, uploaded: Uploaded, true_document: dict[str, Any]
) -> None:
    text = print_text(draw_recovered(zoo_family, uploaded, true_document))
    assert text.count("✓") == 12
    assert "✗" not in text
    assert text.count("97%") == 11
    verdicts = judge(zoo_family.truth, true_document).verdicts
    assert count_right(verdicts) == "11 of 11 parents are right, and 11 of those 11 relations."


def test_a_wrong_parent_is_crossed(
    zoo_family: Zoo, uploaded: Uploaded, true_document: dict[str, Any]
) -> None:
    edge = next(e for e in true_document["edges"] if e["child"] == uploaded.ids["rotated-pruned"])
    edge["parent"] = uploaded.ids["inverted-lora"]
    text = print_text(draw_recovered(zoo_family, uploaded, true_document))
    assert text.count("✗") == 1
    assert "✗ rotated-pruned" in text


def test_a_root_with_a_parent_is_crossed(
    zoo_family: Zoo, uploaded: Uploaded, true_document: dict[str, Any]
) -> None:
    base, noisy = uploaded.ids["base"], uploaded.ids["noisy"]
    turned = next(e for e in true_document["edges"] if (e["parent"], e["child"]) == (base, noisy))
    turned["parent"], turned["child"] = noisy, base
    text = print_text(draw_recovered(zoo_family, uploaded, true_document))
    assert "✗ base" in text
    assert "✗ noisy\n" in text


def test_without_a_server_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        monkeypatch.setenv("MODEL_HERITAGE_URL", f"http://127.0.0.1:{port}/")
        assert demo.main([]) == 1
    said = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}" in said
    assert "make run" in said


def test_against_a_real_server(zoo_family: Zoo, tmp_path: Path) -> None:
    """Twice: the second time every file is known, and the answer is the same."""
    with RealServer(tmp_path / "data") as server:
        client = Client(f"http://127.0.0.1:{server.port}")
        said = []
        for seed in (1, 2):
            written = io.StringIO()
            demo.run(client, zoo_family, seed=seed, console=Console(file=written, width=150))
            text = written.getvalue()
            said.append(text[: text.index("Uploaded and solved")])
        assert "12 of these files were on the server before" in text
        client.close()
    assert said[0] == said[1]
    assert said[0].count("noisy-rotated merge and noisy") == 2
    right = int(said[0].split(" of 11 parents are right")[0].split()[-1])
    assert right >= 9
