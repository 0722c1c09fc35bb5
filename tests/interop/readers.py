"""Every format of export, read by a program that is not ours."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import networkx as nx
import yaml
from Bio import Phylo
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from model_heritage_backend import interop
from model_heritage_backend.interop.spreadsheet import FORMULA_STARTS
from tests.interop.cypher_tokens import read_statements

SCHEMA = json.loads((Path(interop.__file__).parent / "heritage-1.schema.json").read_text())


def read_document(text: str) -> set[str]:
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    return {model["id"] for model in document["models"]}


def read_dot(text: str) -> set[str]:
    if shutil.which("gvpr") is None:
        return set()
    command = ["gvpr", "N { print($.name) }"]
    found = subprocess.run(
        command, input=text.encode(), capture_output=True, check=True, timeout=240
    )
    assert found.stderr == b""
    return set(found.stdout.decode().split())


def read_newick(text: str) -> set[str]:
    """Names are followed by ids where they are alike."""
    trees = Phylo.parse(io.StringIO(text), "newick")
    return {
        str(clade.name).split()[-1].strip("()") for tree in trees for clade in tree.find_clades()
    }


def read_table(text: str) -> set[str]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    cells = [cell for row in rows for name, cell in row.items() if name != "coefficient"]
    assert not any(cell.startswith(FORMULA_STARTS) for cell in cells)
    return {row["model_id"] for row in rows}


def read_bill(text: str) -> set[str]:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return {component["bom-ref"] for component in json.loads(text)["components"]}


def read_recipes(text: str) -> set[str]:
    return {recipe["name"] for recipe in yaml.safe_load_all(text) if recipe is not None}


def read_script(text: str) -> set[str]:
    return {word for statement in read_statements(text) for _, word in statement}


def read_graph(graph: Any) -> set[str]:
    return set(graph.nodes)


READERS: Mapping[str, Callable[[str], set[str]]] = {
    "json": read_document,
    "node-link": lambda text: read_graph(nx.node_link_graph(json.loads(text), edges="edges")),
    "graphml": lambda text: read_graph(nx.read_graphml(io.BytesIO(text.encode()))),
    "gexf": lambda text: read_graph(nx.read_gexf(io.BytesIO(text.encode()))),
    "dot": read_dot,
    "newick": read_newick,
    "csv": read_table,
    "mergekit": read_recipes,
    "cypher": read_script,
    "cyclonedx": read_bill,
}
"""By format: the ids of the models in it."""
