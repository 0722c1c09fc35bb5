"""Where the value of a setting comes from, and what is wrong with it, for whoever wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import AliasChoices, ValidationError
from pydantic.fields import FieldInfo

from model_heritage_backend.config_messages import describe_allowed, describe_found
from model_heritage_backend.config_sections import Given, read_document, suggest
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.places import IS_CHECKOUT, PROJECT, find_home

PREFIX = "MODEL_HERITAGE_"
CONFIG_VARIABLE = "MODEL_HERITAGE_CONFIG"
OTHER_VARIABLES = frozenset({"CONFIG", "SERVER", "TOKEN", "URL", "API", "REQUIRE_BROWSER"})
"""Names after the prefix that are no settings: of the command line, the interface and the tests."""
FOR_TESTS = "TEST_"
FILE_BYTES = 1024**2
VALUE_ERROR = "Value error, "
"""What pydantic puts before sentences of ours."""
Fields = Mapping[str, FieldInfo]


class _OnceOnly(yaml.SafeLoader):
    """Of two values for one name, YAML's rules allow neither; PyYAML takes the later one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in names:
                    what = f"{key.value} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, what, key.start_mark)
                names.add(key.value)
        return super().construct_mapping(node, deep=deep)


def find_config_file() -> Path | None:
    """The configuration file to read; None when there is none.

    Raises
    ------
    InvalidRequest
        When ``MODEL_HERITAGE_CONFIG`` names a file that does not exist.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    usual = PROJECT if IS_CHECKOUT else find_home("XDG_CONFIG_HOME", ".config")
    path = Path(named) if named else usual / "config.yaml"
    if path.is_file():
        return path
    if named:
        raise InvalidRequest(f"{CONFIG_VARIABLE} names {named}, which is not a file.")
    return None


def get_variable(name: str, info: FieldInfo) -> str:
    """The environment variable of a setting."""
    alias = info.validation_alias
    return str(alias.choices[-1]) if isinstance(alias, AliasChoices) else PREFIX + name.upper()


def find_variable(name: str, info: FieldInfo) -> str | None:
    """The environment variable of a setting as it is written there, if it is."""
    wanted = get_variable(name, info)
    return next((found for found in os.environ if found.upper() == wanted), None)


def find_unknown_variables(fields: Fields) -> list[str]:
    """A sentence for each variable of ours that is no setting: a slip there must not go unseen."""
    known = {get_variable(name, info) for name, info in fields.items()}
    problems = []
    for found in sorted(os.environ):
        rest = found.upper().removeprefix(PREFIX)
        if not found.upper().startswith(PREFIX) or found.upper() in known:
            continue
        if rest in OTHER_VARIABLES or rest.startswith(FOR_TESTS):
            continue
        problems.append(
            f"{found} in the environment is not a setting{suggest(found.upper(), known)}"
        )
    return problems


def read_file(path: Path | None, fields: Fields) -> dict[str, Given]:
    """What ``config.yaml`` says of each setting.

    Raises
    ------
    InvalidRequest
        When it cannot be read, or says something that is not understood.
    """
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8") as file:
            document = yaml.load(file.read(FILE_BYTES), _OnceOnly)  # noqa: S506 (a SafeLoader)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be understood"
        raise InvalidRequest(f"{path} is not valid YAML{where}: {what}.") from error
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise InvalidRequest(f"{path} holds no settings: allowed are lines of name: value.")
    try:
        return read_document(document, fields)
    except ValueError as error:
        raise InvalidRequest(list_sentences(f"In {path}:", error.args)) from error


def find_origin(
    name: str, info: FieldInfo, file: Mapping[str, Given], overrides: Mapping[str, Any]
) -> tuple[str, str]:
    """("command" | "environment" | "file" | "default", what it is called there)."""
    if name in overrides:
        return "command", name
    variable = find_variable(name, info)
    if variable is not None:
        return "environment", variable
    if name in file:
        return "file", file[name].place
    return "default", ""


def tell_problems(
    error: ValidationError, fields: Fields, file: Mapping[str, Given], overrides: Mapping[str, Any]
) -> list[str]:
    """A sentence for each value that is not allowed: what it is called where it was written, what
    was found there, what is allowed."""
    by_alias = {get_variable(name, info): name for name, info in fields.items()}
    problems = []
    for item in error.errors():
        first = str(item["loc"][0]) if item["loc"] else ""
        name = by_alias.get(first, first)
        info = fields.get(name)
        if info is None:
            said = item["msg"].removeprefix(VALUE_ERROR)
            problems.append(f"{first}: {said}{suggest(first, fields)}" if first else said)
            continue
        origin, place = find_origin(name, info, file, overrides)
        factor = file[name].factor if origin == "file" else 1
        inner = [str(part) for part in item["loc"][1:]]
        value = file[name].written if origin == "file" and not inner else item["input"]
        allowed = (
            item["msg"].removeprefix(VALUE_ERROR)
            if inner
            else describe_allowed(info, factor=factor)
        )
        problems.append(
            f"{'.'.join([place, *inner])}: found {describe_found(info, value)}, allowed: {allowed}"
        )
    return problems


def list_sentences(beginning: str, problems: Sequence[str]) -> str:
    """One problem in the same line, several in lines of their own."""
    if len(problems) == 1:
        return f"{beginning} {problems[0]}"
    return "\n- ".join([beginning, *problems])
