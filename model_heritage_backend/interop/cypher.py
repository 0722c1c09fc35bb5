"""A heritage document as statements of Cypher: for a script, and for Neo4j itself.

The graph: ``(:Model)-[:IN_FAMILY]->(:Family)`` and ``(:Model)-[:PARENT_OF]->(:Model)``, one edge
per parent. Whole families replace what the graph knew of them: their old edges go first, then
models that are no longer theirs. The line of one model only adds to the graph and replaces the
edges within it. Ghosts and models that have no family yet are not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from model_heritage_backend.interop.lineage import Lineage
from model_heritage_backend.interop.names import clean_text

Document = Mapping[str, Any]
Rows = list[dict[str, Any]]

ROWS = 1000
"""Models or edges per statement."""
HEADER = """\
// Written by Model Heritage. Run it with: cypher-shell -f FILE
// It may be run again: it replaces what it has written before.
"""

PREPARE = (
    "CREATE CONSTRAINT model_heritage_model IF NOT EXISTS\nFOR (m:Model) REQUIRE m.id IS UNIQUE",
    "CREATE CONSTRAINT model_heritage_family IF NOT EXISTS\n"
    "FOR (f:Family) REQUIRE f.family_id IS UNIQUE",
)
"""Changes of the schema, which Neo4j does not mix with others: without these indices, every model
would be looked for among all."""
FORGET_EDGES = (
    "MATCH (m:Model)-[r:PARENT_OF|IN_FAMILY]-()\n"
    "WHERE m.family_id = $family_id OR m.id IN $members\n"
    "DELETE r"
)
FORGET_MODELS = (
    "MATCH (m:Model)\nWHERE m.family_id = $family_id AND NOT m.id IN $members\nDETACH DELETE m"
)
FORGET_EDGES_BETWEEN = (
    "MATCH (parent:Model)-[r:PARENT_OF]->(child:Model)\n"
    "WHERE parent.id IN $members AND child.id IN $members\n"
    "DELETE r"
)
FORGET_MEMBERSHIP = "MATCH (m:Model)-[r:IN_FAMILY]->()\nWHERE m.id IN $members\nDELETE r"
MERGE_FAMILY = "MERGE (f:Family {family_id: $family_id})"
DESCRIBE_FAMILY = (
    "MATCH (f:Family {family_id: $family_id})\n"
    "SET f.size = $size, f.root_id = $root_id, f.root_confidence = $root_confidence,\n"
    "    f.method = $method, f.avg_intra_distance = $avg_intra_distance,\n"
    "    f.diameter = $diameter, f.last_centroid_update = datetime($updated_at)"
)
MERGE_MODELS = (
    "MATCH (f:Family {family_id: $family_id})\n"
    "UNWIND $models AS row\n"
    "MERGE (m:Model {id: row.id})\n"
    "SET m.family_id = $family_id, m.name = row.name, m.checksum = row.checksum,\n"
    "    m.total_parameters = row.total_parameters, m.licence = row.licence\n"
    "MERGE (m)-[:IN_FAMILY]->(f)"
)
CREATE_EDGES = (
    "UNWIND $edges AS row\n"
    "MATCH (parent:Model {id: row.parent})\n"
    "MATCH (child:Model {id: row.child})\n"
    "CREATE (parent)-[:PARENT_OF {weight_distance: row.weight_distance,\n"
    "    confidence: row.confidence, relation: row.relation, main: row.main,\n"
    "    resolved: row.resolved, coefficient: row.coefficient, method: row.method,\n"
    "    computed_at: datetime($updated_at)}]->(child)"
)
FORGET_FAMILIES = "MATCH (f:Family)\nWHERE NOT f.family_id IN $families\nDETACH DELETE f"
FORGET_THEIR_MODELS = (
    "MATCH (m:Model)\n"
    "WHERE m.family_id IS NOT NULL AND NOT m.family_id IN $families\n"
    "DETACH DELETE m"
)


@dataclass(frozen=True)
class Statement:
    """Text of ours with ``$names``, and their values: strings, numbers, None, lists, maps."""

    text: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def build_transactions(lineage: Lineage) -> list[list[Statement]]:
    """Statements that belong together: one list per family and, of the lake, one that removes the
    families that are gone.
    """
    families = lineage.document["families"]
    models, edges = _collect_rows(lineage.document)
    build = _replace_family if lineage.subject is None else _add_to_family
    transactions = [
        build(family, models[family["id"]], edges.get(family["id"], [])) for family in families
    ]
    if lineage.whole_lake:
        known = {"families": [family["stored_id"] for family in families]}
        transactions.append(
            [Statement(FORGET_THEIR_MODELS, known), Statement(FORGET_FAMILIES, known)]
        )
    return transactions


def write_cypher(lineage: Lineage) -> str:
    """A script of the same statements, with the values in their places."""
    statements = [Statement(text) for text in PREPARE]
    statements += [one for transaction in build_transactions(lineage) for one in transaction]
    return HEADER + "".join(f"{_fill_in(statement)};\n" for statement in statements)


def _replace_family(family: Document, models: Rows, edges: Rows) -> list[Statement]:
    about = {"family_id": family["stored_id"], "members": [row["id"] for row in models]}
    return [
        Statement(FORGET_EDGES, about),
        Statement(FORGET_MODELS, about),
        Statement(MERGE_FAMILY, {"family_id": family["stored_id"]}),
        _describe_family(family, edges),
        *_add_rows(family, models, edges),
    ]


def _add_to_family(family: Document, models: Rows, edges: Rows) -> list[Statement]:
    members = {"members": [row["id"] for row in models]}
    return [
        Statement(FORGET_EDGES_BETWEEN, members),
        Statement(FORGET_MEMBERSHIP, members),
        Statement(MERGE_FAMILY, {"family_id": family["stored_id"]}),
        *_add_rows(family, models, edges),
    ]


def _collect_rows(document: Document) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Models and edges of each family, by its name within the document."""
    models: dict[str, Rows] = {}
    family_of = {model["id"]: model["family"] for model in document["models"]}
    for model in document["models"]:
        if model["family"] is not None:
            models.setdefault(model["family"], []).append(
                {
                    "id": model["id"],
                    "name": clean_text(model["path"]),
                    "checksum": model["checksum"],
                    "total_parameters": model["total_parameters"],
                    "licence": clean_text(model["licence"]) if model.get("licence") else None,
                }
            )
    edges: dict[str, Rows] = {}
    for edge in document["edges"]:
        edges.setdefault(family_of[edge["child"]], []).append(
            {
                "parent": edge["parent"],
                "child": edge["child"],
                "weight_distance": edge["distance"],
                "confidence": edge["confidence"],
                "relation": edge["relation"],
                "main": edge["main"],
                "resolved": edge["resolved"],
                "coefficient": edge["coefficient"],
                "method": edge["evidence"]["method"],
            }
        )
    return models, edges


def _describe_family(family: Document, edges: Rows) -> Statement:
    distances = [edge["weight_distance"] for edge in edges if edge["main"]]
    return Statement(
        DESCRIBE_FAMILY,
        {
            "family_id": family["stored_id"],
            "size": family["size"],
            "root_id": family["root"],
            "root_confidence": family["root_confidence"],
            "method": family["method"],
            "avg_intra_distance": sum(distances) / len(distances) if distances else None,
            "diameter": max(distances, default=None),
            "updated_at": family["updated_at"],
        },
    )


def _add_rows(family: Document, models: Rows, edges: Rows) -> Iterator[Statement]:
    for start in range(0, len(models), ROWS):
        rows = models[start : start + ROWS]
        yield Statement(MERGE_MODELS, {"family_id": family["stored_id"], "models": rows})
    for start in range(0, len(edges), ROWS):
        rows = edges[start : start + ROWS]
        yield Statement(CREATE_EDGES, {"updated_at": family["updated_at"], "edges": rows})


def _fill_in(statement: Statement) -> str:
    return re.sub(
        r"\$(\w+)", lambda found: write_literal(statement.parameters[found[1]]), statement.text
    )


def write_literal(value: Any) -> str:
    """A value as an expression of Cypher.

    >>> print(write_literal({"name": "it's", "sizes": [1, None]}))
    {name: 'it\\'s', sizes: [1, null]}
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quote(value)
        case Mapping():
            # Keys are names of ours.
            return "{" + ", ".join(f"{k}: {write_literal(v)}" for k, v in value.items()) + "}"
        case _:
            return "[" + ", ".join(write_literal(item) for item in value) + "]"


def _quote(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    quoted = quoted.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    # Neo4j before 5 turns \u0027 into a quote before it looks for the ends of strings. So that no
    # backslash ever stands before a u, the string is cut in two between them.
    return "'" + quoted.replace("\\\\u", "\\\\' + 'u") + "'"
