"""What a model's heritage says, as the head of a Hugging Face model card.

The hub's words are few: what was really done stands in a comment beside them, and no parent is
claimed that the weights do not decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_heritage_backend.interop.yaml_text import quote_text

HUB_RELATIONS = {
    "finetune": "finetune",
    "partial": "finetune",
    "pruned": "finetune",
    # Of a file of its own; merged into its base, an adapter is a fine-tuned model to the hub.
    "adapter": "adapter",
    "merge": "merge",
    "quantized": "quantized",
    "cast": "quantized",
}


def write_model_card(document: Mapping[str, Any], subject: str) -> str:
    """YAML between two lines of dashes: ``base_model``, ``base_model_relation``, comments.

    Parameters
    ----------
    subject : id of the model; its parents are in the document
    """
    names = {model["id"]: model["path"] for model in document["models"]}
    edges = [edge for edge in document["edges"] if edge["child"] == subject]
    lines = [
        "---",
        f"# {quote_text(names[subject])}, recovered from its weights by Model Heritage.",
        "# Models are named as they are there: put their repositories' names in the place.",
        *_claim(edges, names),
    ]
    if not edges:
        lines.append("# No parent is known.")
    return "\n".join([*lines, "---", ""])


def _claim(edges: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    claimed, lines = [], []
    for edge in edges:
        parent, sure = quote_text(names[edge["parent"]]), f"confidence {edge['confidence']:.2f}"
        if not edge["resolved"] or edge["relation"] == "unresolved":
            lines.append(f"# Not decided: the best guess of a parent is {parent}, {sure}.")
            continue
        lines.append(f"# {edge['relation'].capitalize()} of {parent}, {sure}.")
        if edge["relation"] in HUB_RELATIONS:
            claimed.append(edge)
    if claimed:
        lines += ["base_model:", *(f"- {quote_text(names[edge['parent']])}" for edge in claimed)]
        lines.append(f"base_model_relation: {_name_relation(claimed[0])}")
    return lines


def _name_relation(edge: Mapping[str, Any]) -> str:
    if edge["relation"] == "adapter" and "unmerged" not in edge["evidence"].get("flags", ()):
        return "finetune"
    return HUB_RELATIONS[edge["relation"]]
