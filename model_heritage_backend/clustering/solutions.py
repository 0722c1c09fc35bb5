"""What a tree was solved from, as a name: where it is the same, solving again changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from model_heritage_backend.clustering.statements import Statement
from model_heritage_backend.clustering.tree_builder import MoTHerTreeBuilder
from model_heritage_backend.fingerprints.fingerprint import VERSION


def name_solution(
    members: Mapping[str, str],
    statements: Iterable[Statement],
    builder: MoTHerTreeBuilder,
    *,
    stamp: str,
) -> str:
    """32 hex digits.

    Parameters
    ----------
    members : id -> checksum
    statements : that mention any of them
    builder : whose method and options decide
    stamp : of the program
    """
    options = [
        builder.method.value,
        builder.lambda_param,
        builder.distance_calculator.metric.value,
        builder.kurtosis_grows,
        builder.exact is not None,
    ]
    said = sorted([_write(statement) for statement in statements])
    text = json.dumps([stamp, VERSION, options, sorted(members.items()), said])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(statement: Statement) -> list[str]:
    sides = (sorted(statement.models), sorted(statement.others))
    ends = (statement.model, statement.parent, *sides)
    return [statement.id, statement.kind.value, statement.author, json.dumps(ends)]


def mark_round(name: str, round_: str | None) -> str:
    """A name that also tells in which round of solving everything anew it was solved."""
    return name if round_ is None else f"{name} {round_}"


def is_solved(known: str | None, name: str, round_: str | None) -> bool:
    """Whether a stored tree is of this name, and where all is solved anew, of this round."""
    if known is None:
        return False
    return known.split()[0] == name if round_ is None else known == mark_round(name, round_)
