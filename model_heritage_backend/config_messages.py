"""What a setting allows, in words, and what is told of a value that it does not."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

SHOWN = 80
"""Characters of a wrong value that are shown."""
_NUMBERS = {int: "a whole number", float: "a number"}
_OTHERS = {bool: "true or false", str: "a text", Path: "a path", SecretStr: "a text"}


def describe_allowed(info: FieldInfo, *, factor: int = 1) -> str:
    """Such as "a whole number from 1 to 65535".

    Parameters
    ----------
    factor : of an option in another unit; its limits are told in that one
    """
    kind, may_be_absent = _unwrap(info.annotation)
    text = _describe_kind(kind)
    if factor != 1:
        text = "a number"
    text += _describe_limits(info, factor)
    return f"{text}, or nothing" if may_be_absent else text


def describe_found(info: FieldInfo, value: Any) -> str:
    """The value as it was found, unless it may be a secret."""
    kind, _ = _unwrap(info.annotation)
    if kind is SecretStr or (info.metadata and _holds_addresses(info)):
        return "something else"
    shown = repr(value)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def _holds_addresses(info: FieldInfo) -> bool:
    """An address with a pattern: a password may have been written into it."""
    return any("://" in str(getattr(limit, "pattern", "")) for limit in info.metadata)


def _unwrap(annotation: Any) -> tuple[Any, bool]:
    """The type without ``Annotated``, and whether None may stand for it."""
    if get_origin(annotation) is Annotated:
        return _unwrap(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _unwrap(kinds[0])[0], True
    return annotation, False


def _describe_kind(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return "one of " + ", ".join(str(word) for word in get_args(kind))
    if origin is tuple:
        return "a list"
    if origin is dict:
        return "names with numbers"
    return {**_NUMBERS, **_OTHERS}.get(kind, "something else")


def _describe_limits(info: FieldInfo, factor: int) -> str:
    low: Any = None
    high = above = below = None
    for limit in info.metadata:
        match limit:
            case annotated_types.Ge(ge=value):
                low = value
            case annotated_types.Le(le=value):
                high = value
            case annotated_types.Gt(gt=value):
                above = value
            case annotated_types.Lt(lt=value):
                below = value
            case annotated_types.MinLen(min_length=1):
                return " that is not empty"
            case _ if getattr(limit, "pattern", None):
                return f" like {limit.pattern}"
    if factor != 1:
        return f" of at least {low // factor}" if low and low >= factor else " above 0"
    if low is not None and high is not None:
        return f" from {low} to {high}"
    parts = [
        f"{word} {value}"
        for word, value in (
            ("of at least", low), ("above", above), ("of at most", high), ("below", below),
        )
        if value is not None
    ]  # fmt: skip
    return " " + " and ".join(parts) if parts else ""
