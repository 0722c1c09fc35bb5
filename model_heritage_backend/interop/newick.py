"""A heritage document as Newick trees, for programs that draw and compare phylogenies.

Newick knows trees only. Every line is one tree of main parents: a family, or the part of a family
below a model that has no parent here; a model without relatives is a tree of one. Branch lengths
are the edges' distances. Not told: further parents of merges, relations, confidences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_heritage_backend.interop.names import clean_text, list_labels

LOOKALIKES = str.maketrans(
    {
        # The standard doubles a quote, some readers want a backslash before it: neither is safe.
        "'": "\N{RIGHT SINGLE QUOTATION MARK}",
        "\\": "\N{REVERSE SOLIDUS OPERATOR}",
        "\t": " ",
        "\n": " ",
        "\r": " ",
    }
)


def write_newick(document: Mapping[str, Any]) -> str:
    """One rooted tree per line; labels are quoted names, followed by the id where two are alike."""
    labels = list_labels(document, _clean)
    lengths, children = _collect_branches(document)
    # A top stands where its first model does: families largest first, then models by name.
    order = {family["id"]: place for place, family in enumerate(document["families"])}
    below = {child for group in children.values() for child in group}
    tops = sorted(
        (item for item in [*document["ghosts"], *document["models"]] if item["id"] not in below),
        key=lambda item: (order.get(item["family"], len(order)), labels[item["id"]], item["id"]),
    )
    return "".join(_write_tree(top["id"], labels, lengths, children) for top in tops)


def _collect_branches(
    document: Mapping[str, Any],
) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Child -> length of its branch, where that is known; parent -> children, in a fixed order."""
    lengths: dict[str, float] = {}
    children: dict[str, list[str]] = {}
    for edge in document["edges"]:
        if edge["main"]:
            children.setdefault(edge["parent"], []).append(edge["child"])
            lengths[edge["child"]] = edge["distance"]
    for ghost in document["ghosts"]:
        if ghost.get("parent") is not None:
            children.setdefault(ghost["parent"], []).append(ghost["id"])
        children.setdefault(ghost["id"], []).extend(ghost["children"])
        lengths |= dict(zip(ghost["children"], ghost.get("distances", ()), strict=False))
    return lengths, children


def _write_tree(
    top: str,
    labels: Mapping[str, str],
    lengths: Mapping[str, float],
    children: Mapping[str, Sequence[str]],
) -> str:
    """Without recursion, as a lineage may be long: what is to be written waits on a stack."""
    pieces = ["[&R] "]
    waiting = [(top, "")]
    while waiting:
        node, text = waiting.pop()
        if text:
            pieces.append(text)
            continue
        own = f"'{labels[node]}'" + (f":{lengths[node]!r}" if node in lengths else "")
        below = children.get(node, ())
        if not below:
            pieces.append(own)
            continue
        pieces.append("(")
        waiting.append((node, ")" + own))
        for child in reversed(below[1:]):
            waiting += [(child, ""), (child, ",")]
        waiting.append((below[0], ""))
    return "".join([*pieces, ";\n"])


def _clean(text: str) -> str:
    return clean_text(text).translate(LOOKALIKES).strip()
