"""A heritage document as trees for the terminal.

Names come from files that nobody vouches for: they are put into ``Text`` objects, which know no
markup, and control characters are replaced, as they could steer the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

Document = Mapping[str, Any]
NOTES = {
    "all_zero": "has a matrix of zeros",
    "constant": "has a matrix of one value",
    "huge": "has huge values",
    "incomplete_adapter": "lacks some of its factors",
    "misnamed": "is of another format than its name says",
    "nonfinite": "has values that are no numbers",
    "tiny": "has vanishing values",
    "uncompared": "is compared in part only",
}
"""Of models with odd weights. That an adapter is one is said by its relation."""


def draw_document(document: Document) -> Iterator[RenderableType]:
    """One tree per family of two or more, then the models without relatives, then a summary."""
    sizes = {family["id"]: family["size"] for family in document["families"]}
    for family in document["families"]:
        if family["size"] > 1:
            yield draw_family(document, family)
            yield Text()
    alone = [m for m in document["models"] if sizes.get(m["family"], 1) == 1]
    if alone:
        tree = Tree(Text(f"No relatives found ({len(alone)})", style="bold"))
        for model in alone:
            tree.add(append_notes(printable(model["path"]), model))
        yield tree
        yield Text()
    yield Text(summarise(document))


def draw_family(document: Document, family: Mapping[str, Any]) -> Tree:
    """Main lines as branches; further parents of a merge are named on the model's own line."""
    return _FamilyDrawing(document, family).draw()


def summarise(document: Document) -> str:
    """One line: what was found and what was not."""
    families = [family for family in document["families"] if family["size"] > 1]
    edges = [edge for edge in document["edges"] if edge["main"]]
    doubtful = sum(not edge["resolved"] for edge in edges)
    parts = [
        count(len(document["models"]), "model"),
        count(len(families), "family", "families"),
        count(len(edges), "parent") + " found" + (f" ({doubtful} doubtful)" if doubtful else ""),
    ]
    if document["errors"]:
        parts.append(count(len(document["errors"]), "file") + " could not be read")
    return ", ".join(parts) + "."


def count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def printable(text: str) -> Text:
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


def append_notes(text: Text, model: Mapping[str, Any]) -> Text:
    """What is odd about the weights themselves, behind a model's name."""
    words = [NOTES[note] for note in model.get("quality", ()) if note in NOTES]
    return text.append("".join(f", {word}" for word in words), style="yellow")


class _FamilyDrawing:
    def __init__(self, document: Document, family: Mapping[str, Any]) -> None:
        self._family = family
        members = [m for m in document["models"] if m["family"] == family["id"]]
        self._models = {model["id"]: model for model in members}
        self._paths = {model["id"]: model["path"] for model in members}
        self._ghosts = [g for g in document["ghosts"] if g["family"] == family["id"]]
        self._children: dict[str, list[Mapping[str, Any]]] = {}
        self._further: dict[str, list[Mapping[str, Any]]] = {}
        for edge in document["edges"]:
            if edge["child"] in self._paths:
                if edge["main"]:
                    self._children.setdefault(edge["parent"], []).append(edge)
                else:
                    self._further.setdefault(edge["child"], []).append(edge)

    def draw(self) -> Tree:
        top = Tree(self._describe_family())
        below = {edge["child"] for edges in self._children.values() for edge in edges}
        haunted = {child for ghost in self._ghosts for child in ghost["children"]}
        for ghost in self._ghosts:
            if ghost["id"] not in haunted and ghost.get("parent") is None:
                self._add_ghost(top, ghost)
        for model in sorted(self._paths, key=self._paths.__getitem__):
            if model not in below and model not in haunted:
                label = printable(self._paths[model])
                if model == self._family["root"]:
                    label.append("  root", style="cyan")
                self._add(top, model, append_notes(label, self._models[model]))
        return top

    def _describe_family(self) -> Text:
        family = self._family
        text = Text(f"Family {family['id']}", style="bold")
        text.append(f"  {count(family['size'], 'model')}", style="dim")
        if family["root"] is None:
            text.append(", its first ancestor is missing", style="dim")
        elif family.get("root_confidence") is not None:
            text.append(f", root {family['root_confidence']:.0%} sure", style="dim")
        return text

    def _add_ghost(self, branch: Tree, ghost: Mapping[str, Any]) -> None:
        label = Text("possibly a missing ancestor", style="italic")
        if ghost.get("confidence") is not None:
            label.append(f"  {ghost['confidence']:.0%}", style="dim")
        node = branch.add(label)
        inner = {g["id"]: g for g in self._ghosts}
        for child in ghost["children"]:
            if child in inner:
                self._add_ghost(node, inner[child])
            elif child in self._paths:
                self._add(node, child, printable(self._paths[child]))

    def _add(self, branch: Tree, model: str, label: Text) -> None:
        """Add a model and all below it; without recursion, as a lineage may be long."""
        waiting = [(branch, model, label)]
        while waiting:
            above, current, text = waiting.pop()
            node = above.add(text)
            for ghost in self._ghosts:
                if ghost.get("parent") == current:
                    self._add_ghost(node, ghost)
            waiting += [
                (node, edge["child"], self._describe_edge(edge))
                for edge in reversed(self._sort_children(current))
            ]

    def _sort_children(self, model: str) -> list[Mapping[str, Any]]:
        edges = self._children.get(model, [])
        return sorted(edges, key=lambda edge: self._paths[edge["child"]])

    def _describe_edge(self, edge: Mapping[str, Any]) -> Text:
        text = printable(self._paths[edge["child"]])
        text.append(f"  {describe_relation(edge)}", style="green" if edge["resolved"] else "yellow")
        text.append(f" {edge['confidence']:.0%}", style="dim")
        if not edge["resolved"]:
            text.append(" (best guess)", style="yellow")
        for further in self._further.get(edge["child"], []):
            text.append(", also from ", style="dim")
            text.append_text(printable(self._paths.get(further["parent"], further["parent"])))
            text.append(f" {further['confidence']:.0%}", style="dim")
        return append_notes(text, self._models[edge["child"]])


def describe_relation(edge: Mapping[str, Any]) -> str:
    """The relation with the number that says most about it."""
    evidence = edge["evidence"]
    if "unmerged" in evidence.get("flags", ()):
        return f"unmerged adapter of rank {evidence['delta_rank']}"
    if edge["relation"] == "adapter" and evidence.get("delta_rank"):
        return f"adapter of rank {evidence['delta_rank']}"
    if edge["relation"] == "quantized" and evidence.get("bits"):
        return f"quantized to {evidence['bits']} bits"
    if edge["relation"] == "pruned" and evidence.get("zero_fraction") is not None:
        return f"pruned to {1 - evidence['zero_fraction']:.0%}"
    if edge["relation"] == "merge" and edge["coefficient"] is not None:
        return f"merge, share {edge['coefficient']:.2f}"
    return str(edge["relation"])
