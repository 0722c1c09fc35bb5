"""Scripts are read by a strict tokenizer: names must stay inside their strings."""

from __future__ import annotations

import re
from typing import Any

import pytest

from model_heritage_backend.interop import cypher
from model_heritage_backend.interop.cypher import (
    Statement,
    build_transactions,
    write_cypher,
    write_literal,
)
from tests.interop.cypher_tokens import read_statements, read_tokens, replace_unicode
from tests.interop.lakes import HOSTILE, get_large_lineage, make_lineage

ROW_KEYS = {"id", "name", "checksum", "total_parameters", "licence", "parent", "child"} | {
    *("weight_distance", "confidence", "relation", "main", "resolved", "coefficient", "method")
}


def list_strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in list_strings(item)]
    return [text for item in value for text in list_strings(item)] if type(value) is list else []


def count_parameters(statement: Statement) -> list[str]:
    return re.findall(r"\$(\w+)", statement.text)


@pytest.mark.parametrize("name", [*HOSTILE, "\\u", "\\\\u0041", "a\\' + 'b", "\\"])
def test_strings_hold_whatever_they_are_given(name: str) -> None:
    literal = write_literal(name)
    assert read_tokens(literal) == [("string", name)]
    # Before version 5, Neo4j replaced \\uXXXX everywhere before it looked at anything else.
    assert replace_unicode(literal) == literal


def test_values() -> None:
    value = {"a": None, "b": [True, 1, -0.5, 1e-07], "c": {"d": "it's"}}
    assert write_literal(value) == "{a: null, b: [true, 1, -0.5, 1e-07], c: {d: 'it\\'s'}}"
    with pytest.raises(ValueError, match="no token"):
        read_tokens("'it's'")


def test_script_of_a_thousand_hostile_models() -> None:
    """Token for token what the statements are, with values in the places of their names."""
    lineage = get_large_lineage()
    statements = [one for part in build_transactions(lineage) for one in part]
    script = write_cypher(lineage)
    found = read_statements(script)
    assert len(found) == len(cypher.PREPARE) + len(statements)
    assert read_statements(replace_unicode(script)) == found
    for statement, tokens in zip(statements, found[len(cypher.PREPARE) :], strict=True):
        texts = [text for kind, text in tokens if kind == "string"]
        wanted = [statement.parameters[name] for name in count_parameters(statement)]
        assert texts == list_strings(wanted)
        assert set(count_parameters(statement)) == set(statement.parameters)
        # Without strings, what is left has no more to say than the statement and plain values.
        words = {text for kind, text in tokens if kind == "word"}
        assert words <= {*re.findall(r"\w+", statement.text), *ROW_KEYS, "true", "false", "null"}


def test_a_family_is_replaced_whole() -> None:
    (statements,) = build_transactions(make_lineage(sizes=(12,)))
    texts = [statement.text for statement in statements]
    assert texts == [
        cypher.FORGET_EDGES,
        cypher.FORGET_MODELS,
        cypher.MERGE_FAMILY,
        cypher.DESCRIBE_FAMILY,
        cypher.MERGE_MODELS,
        cypher.CREATE_EDGES,
    ]
    assert statements[0].parameters["members"] == statements[1].parameters["members"]
    assert set(statements[0].parameters["members"]) == {f"f0_m{n}" for n in range(12)}
    family = dict(statements[3].parameters)
    distances = [0.1 / number for number in range(3, 12)]
    assert family.pop("avg_intra_distance") == pytest.approx(sum(distances) / 9, rel=1e-5)
    assert family.pop("diameter") == pytest.approx(0.1 / 3, rel=1e-5)
    assert family == {
        "family_id": "f_0",
        "size": 12,
        "root_id": "f0_m0",
        "root_confidence": 0.8,
        "method": "heritage",
        "updated_at": "2026-01-02T03:04:05.000Z",
    }
    edges = {(e["parent"], e["child"]): e for e in statements[5].parameters["edges"]}
    assert edges["f0_m9", "f0_m10"] == {
        "parent": "f0_m9",
        "child": "f0_m10",
        "weight_distance": 0.01,
        "confidence": 0.9,
        "relation": "merge",
        "main": False,
        "resolved": True,
        "coefficient": -0.25,
        "method": "heritage",
    }


def test_many_rows_are_cut_and_a_lonely_model_has_no_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cypher, "ROWS", 5)
    large, small = build_transactions(make_lineage(sizes=(12, 1)))
    assert [len(s.parameters["models"]) for s in large if "models" in s.parameters] == [5, 5, 2]
    assert [len(s.parameters["edges"]) for s in large if "edges" in s.parameters] == [5, 5]
    assert small[-1].text == cypher.MERGE_MODELS
    assert small[3].parameters["diameter"] is None


def test_of_the_lake_families_that_are_gone_go() -> None:
    *_, last = build_transactions(make_lineage(sizes=(2, 1), whole_lake=True))
    assert [statement.text for statement in last] == [
        cypher.FORGET_THEIR_MODELS,
        cypher.FORGET_FAMILIES,
    ]
    assert all(statement.parameters == {"families": ["f_0", "f_1"]} for statement in last)


def test_a_models_line_removes_no_model() -> None:
    (statements,) = build_transactions(make_lineage(sizes=(40,), subject="f0_m3"))
    assert not any("DETACH" in statement.text for statement in statements)
    members = statements[0].parameters["members"]
    assert "f0_m10" in members
    assert "f0_m4" not in members
    ends = {end for e in statements[-1].parameters["edges"] for end in (e["parent"], e["child"])}
    assert ends <= set(members)
