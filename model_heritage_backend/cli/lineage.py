"""The commands ``lineage`` and ``impact``: along the edges, up to the root, down to all heirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from model_heritage_backend.cli.console import make_console, print_json
from model_heritage_backend.cli.drawing import count, describe_relation, printable
from model_heritage_backend.cli.source import find_model, load_document

SURE, LIKELY = 0.9, 0.5
Record = Mapping[str, Any]


def run_lineage(name: str, where: str, *, as_json: bool, token: str | None = None) -> int:
    """Print the main line from the root down to a model, and what was made from it."""
    document = load_document(where, make_console(stderr=True), token=token)
    found = describe_lineage(document, find_model(document, name))
    if as_json:
        print_json(found)
        return 0
    console = make_console(stderr=False)
    for line in draw_lineage(found):
        console.print(line)
    return 0


def describe_lineage(document: Record, model: Record) -> dict[str, Any]:
    """JSON-ready: the line, the root first, every step with the edge that leads to it."""
    paths = {one["id"]: one["path"] for one in document["models"]}
    main = {edge["child"]: edge for edge in document["edges"] if edge["main"]}
    line: list[dict[str, Any]] = []
    here: str | None = model["id"]
    # A document is anybody's file: its edges may go round in a circle.
    while here is not None and here not in {step["id"] for step in line}:
        edge = main.get(here)
        line.insert(0, {"id": here, "path": paths.get(here, here), "edge": edge})
        here = None if edge is None else edge["parent"]
    further = [e for e in document["edges"] if e["child"] == model["id"] and not e["main"]]
    return {
        "model": {"id": model["id"], "path": model["path"], "checksum": model["checksum"]},
        "lineage": line,
        "other_parents": [
            {"path": paths.get(e["parent"], e["parent"]), "edge": e} for e in further
        ],
        "missing_above": any(line[0]["id"] in ghost["children"] for ghost in document["ghosts"]),
        "children": sorted(
            paths.get(e["child"], e["child"])
            for e in document["edges"]
            if e["parent"] == model["id"]
        ),
    }


def draw_lineage(found: Record) -> Iterator[Text]:
    if found["missing_above"]:
        yield Text("possibly a missing ancestor", style="italic")
    for depth, step in enumerate(found["lineage"]):
        text = Text("  " * depth + ("└ " if depth else ""))
        text.append_text(printable(step["path"]))
        edge = step["edge"]
        if edge is not None:
            style = "green" if edge["resolved"] else "yellow"
            text.append(f"  {describe_relation(edge)}", style=style)
            text.append(f" {edge['confidence']:.0%}", style="dim")
            if not edge["resolved"]:
                text.append(" (best guess)", style="yellow")
        yield text
    for parent in found["other_parents"]:
        sure = f" {parent['edge']['confidence']:.0%}"
        yield Text.assemble("also from ", printable(parent["path"]), (sure, "dim"))
    if found["children"]:
        made = printable(", ".join(found["children"]))
        yield Text.assemble(f"{count(len(found['children']), 'model')} made from it: ", made)


def run_impact(name: str, where: str, *, as_json: bool, token: str | None = None) -> int:
    """Print what holds something of a model, by how likely that is."""
    document = load_document(where, make_console(stderr=True), token=token)
    found = measure_impact(document, find_model(document, name))
    if as_json:
        print_json(found)
        return 0
    console = make_console(stderr=False)
    for line in draw_impact(found):
        console.print(line)
    return 0


def measure_impact(document: Record, model: Record) -> dict[str, Any]:
    """JSON-ready: the models that would share a flaw, surely (90 % and more), likely (50 %) and
    possibly; and those of the family whose own parent is a guess, so that nothing can be said.
    """
    from model_heritage_backend.clustering.descent import Link, trace_effects

    paths = {one["id"]: one["path"] for one in document["models"]}
    links = [
        Link(e["parent"], e["child"], e["relation"], e["confidence"], e["main"])
        for e in document["edges"]
    ]
    reached = [
        {
            "id": reach.model_id,
            "path": paths.get(reach.model_id, reach.model_id),
            "probability": round(reach.probability, 6),
            "way": [paths.get(link.parent, link.parent) for link in reach.path],
        }
        for reach in trace_effects(links, model["id"])
    ]
    inside = {model["id"], *(one["id"] for one in reached)}
    unsettled = {e["child"] for e in document["edges"] if e["main"] and not e["resolved"]}
    settled = {e["child"] for e in document["edges"] if e["main"]}
    roots = {family["root"] for family in document["families"]}
    undecided = [
        one["path"]
        for one in document["models"]
        if one["family"] is not None
        and one["family"] == model["family"]
        and one["id"] not in inside
        and (one["id"] in unsettled or not (one["id"] in settled or one["id"] in roots))
    ]
    return {
        "model": {"id": model["id"], "path": model["path"], "checksum": model["checksum"]},
        "sure": [one for one in reached if one["probability"] >= SURE],
        "likely": [one for one in reached if SURE > one["probability"] >= LIKELY],
        "possible": [one for one in reached if one["probability"] < LIKELY],
        "undecided": sorted(undecided),
    }


def draw_impact(found: Record) -> Iterator[Text]:
    name = printable(found["model"]["path"])
    total = sum(len(found[group]) for group in ("sure", "likely", "possible"))
    if total == 0:
        yield Text.assemble("Nothing there seems to be made from ", name, ".")
    else:
        yield Text.assemble(f"{count(total, 'model')} would share a flaw of ", name, ":")
    for group, style in (("sure", "green"), ("likely", "yellow"), ("possible", "dim")):
        for one in found[group]:
            sure = f"  {one['probability']:.0%}"
            text = Text.assemble("  ", printable(one["path"]), (sure, style))
            if len(one["way"]) > 1:
                text.append(" by way of ", style="dim")
                text.append_text(printable(", ".join(one["way"][1:])))
            yield text
    if found["undecided"]:
        yield Text.assemble(
            "It cannot be ruled out for ",
            printable(", ".join(found["undecided"])),
            ": their parents are guesses.",
        )
