"""Trees for the terminal, against drawings by hand."""

from __future__ import annotations

import io
import itertools
from typing import Any

from rich.console import Console

from model_heritage_backend.cli.drawing import count, draw_document, summarise
from tests.interop.test_heritage_document import make_document


def draw(document: dict[str, Any], *, width: int = 100) -> list[str]:
    written = io.StringIO()
    console = Console(file=written, width=width, markup=False, highlight=False)
    for piece in draw_document(document):
        console.print(piece)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_draws_every_family() -> None:
    assert draw(make_document()) == [
        "Family F1  5 models, root 12% sure",
        "└── a.pt  root",
        "    ├── b.pt  finetune 33% (best guess)",
        "    │   └── d.pt  merge, share 0.60 90%, also from c.pt 90%",
        "    └── c.pt  finetune 90%",
        "        └── c-2.pt  duplicate 100%",
        "",
        "Family F2  2 models, its first ancestor is missing",
        "└── possibly a missing ancestor  60%",
        "    ├── e.pt",
        "    └── f.pt",
        "",
        "Family F3  2 models, root 100% sure",
        "└── g.pt  root",
        "    └── g-2.pt  duplicate 100%",
        "",
        "No relatives found (1)",
        "└── h.pt",
        "",
        "10 models, 3 families, 5 parents found (1 doubtful), 2 files could not be read.",
    ]


def test_details_of_relations_are_named() -> None:
    document = make_document()
    edge = document["edges"][1]
    edge |= {"relation": "adapter"}
    edge["evidence"]["delta_rank"] = 8
    assert "    └── c.pt  adapter of rank 8 90%" in draw(document)
    edge |= {"relation": "quantized"}
    edge["evidence"]["bits"] = 4
    assert "    └── c.pt  quantized to 4 bits 90%" in draw(document)
    edge |= {"relation": "pruned"}
    edge["evidence"]["zero_fraction"] = 0.3
    assert "    └── c.pt  pruned to 70% 90%" in draw(document)


def test_odd_weights_are_told() -> None:
    document = make_document()
    for model in document["models"]:
        model["quality"] = {"b.pt": ["nonfinite", "adapter"], "h.pt": ["huge"]}.get(
            model["path"], []
        )
    drawn = draw(document)
    assert "    ├── b.pt  finetune 33% (best guess), has values that are no numbers" in drawn
    assert "└── h.pt, has huge values" in drawn


def test_hostile_names_neither_style_nor_steer() -> None:
    document = make_document()
    names = ["[red]a[/red].pt", "\x1b[31mb.pt", "\x1b]0;title\x07c.pt", "line\nbreak.pt"]
    for model, name in zip(document["models"], names, strict=False):
        model["path"] = name
    text = "\n".join(draw(document))
    assert "[red]a[/red].pt" in text
    assert "\x1b" not in text
    assert "line\N{REPLACEMENT CHARACTER}break.pt" in text


def test_a_long_lineage_is_drawn() -> None:
    document = make_document()
    edge = document["edges"][1]
    names = [f"n{i:04}" for i in range(1500)]
    document |= {
        "models": [document["models"][0] | {"id": n, "path": n, "family": "F1"} for n in names],
        "edges": [edge | {"parent": a, "child": b} for a, b in itertools.pairwise(names)],
        "families": [{"id": "F1", "root": names[0], "size": 1500}],
        "ghosts": [],
    }
    assert sum("n1499" in line for line in draw(document, width=100_000)) == 1


def test_an_empty_folder_is_summed_up() -> None:
    empty: dict[str, Any] = {"models": [], "edges": [], "families": [], "ghosts": [], "errors": []}
    assert draw(empty) == ["0 models, 0 families, 0 parents found."]
    assert summarise(empty | {"errors": [1]}).endswith("1 file could not be read.")
    assert count(1234, "model") == "1,234 models"
