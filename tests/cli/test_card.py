"""A model's parents in the head of its card: what else stands there stays, letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from model_heritage_backend.cli.card import merge_card
from model_heritage_backend.errors import InvalidRequest
from tests.cli.test_lineage import run

CARD = '---\n# Found.\nbase_model:\n- "org/base"\nbase_model_relation: finetune\n---\n'
NOTHING = "---\n# No parent is known.\n---\n"
README = """---
license: mit   # as the authors say
base_model:
  - old/one
# a comment of ours
tags: [a, "b: c"]
base_model_relation: merge
datasets:
- x
---
# Title
---
base_model: this is text
"""


def take_head(text: str) -> dict[str, object]:
    content: dict[str, object] = yaml.safe_load(text.split("---\n")[1])
    return content


def test_claims_are_replaced_and_all_else_stays() -> None:
    merged = merge_card(README, CARD)
    assert take_head(merged) == {
        "license": "mit",
        "tags": ["a", "b: c"],
        "datasets": ["x"],
        "base_model": ["org/base"],
        "base_model_relation": "finetune",
    }
    assert merged.endswith("---\n# Title\n---\nbase_model: this is text\n")
    for line in ("license: mit   # as the authors say", "# a comment of ours", "- x"):
        assert line in merged.splitlines()
    assert merge_card(merged, CARD) == merged


def test_without_a_sure_parent_the_claim_stays() -> None:
    assert take_head(merge_card(README, NOTHING))["base_model"] == ["old/one"]


@pytest.mark.parametrize("text", ["", "# Title\n", "---\n---\n# Title\n", "--- not a head\n"])
def test_files_without_a_head(text: str) -> None:
    merged = merge_card(text, CARD)
    assert take_head(merged)["base_model"] == ["org/base"]
    assert merged.endswith(text.removeprefix("---\n---\n"))


def test_line_ends_stay() -> None:
    merged = merge_card(README.replace("\n", "\r\n"), CARD)
    assert merged.count("\r\n") == merged.count("\n")
    assert merged.replace("\r\n", "\n") == merge_card(README, CARD)


@pytest.mark.parametrize("head", ["a: [", "- a\n- b", "{base_model: x, license: mit}"])
def test_heads_that_cannot_be_kept_are_refused(head: str) -> None:
    with pytest.raises(InvalidRequest):
        merge_card(f"---\n{head}\n---\n", CARD)


def test_the_command(document: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README)
    result = run("card", "odd", "--in", document, "--write", readme)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "base_model was ['old/one'] before." in result.stderr
    assert take_head(readme.read_text())["base_model"] == ["a/noisy.pt"]
    guess = run("card", "guess", "--in", document)
    assert guess.exit_code == 3
    assert "# Not decided" in guess.stdout
    assert '"finetune"' in run("card", "odd", "--in", document, "--json").stdout
