"""What of the site is not in docs/: the README as its first page, and the reference of commands."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from model_heritage_backend.cli.main import app

AS_IT_STANDS = "\b"
EXAMPLE = "Example: "
PROJECT = Path(__file__).resolve().parents[2]
MOVED = {
    "benchmarks/README.md": "benchmarks.md",
    "model_heritage_backend/interop/heritage-1.schema.json": "heritage-1.schema.json",
}
"""Files outside docs/ that pages link to -> where they are in the site."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    def add(place: str, content: str) -> None:
        files.append(File.generated(config, place, content=content))

    add("index.md", move_links((PROJECT / "README.md").read_text(encoding="utf-8")))
    for source, place in MOVED.items():
        add(place, (PROJECT / source).read_text(encoding="utf-8"))
    add("reference/cli.md", describe_commands())
    return files


def move_links(page: str) -> str:
    """Links of the README as they are in the site."""
    for source, place in MOVED.items():
        page = page.replace(f"]({source})", f"]({place})")
    return re.sub(r"(\]\(|src=\")docs/", r"\1", page)


def describe_commands() -> str:
    """Every command with its help, arguments and options, as Markdown."""
    root = typer.main.get_command(app)
    pages = [
        "# Command line\n",
        "Made from the program itself: `model-heritage COMMAND --help` says the same.\n",
    ]
    for name, command in list_commands(root, "model-heritage"):
        pages.append(describe_command(name, command))
    return "\n".join(pages)


def list_commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A command's subcommands, in the program's order, and theirs."""
    for word, child in getattr(command, "commands", {}).items():
        if child.hidden:
            continue
        if getattr(child, "commands", None):
            yield from list_commands(child, f"{name} {word}")
        else:
            yield f"{name} {word}", child


def describe_command(name: str, command: Any) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {name.partition(' ')[2]}", "", "```text", f"{name} {usage}", "```", ""]
    for text in filter(None, (command.help, command.epilog)):
        lines += [*map(describe_paragraph, inspect.cleandoc(text).split("\n\n")), ""]
    rows = [row for each in command.get_params(context) if (row := describe_option(each, context))]
    if rows:
        lines += ["| option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def describe_paragraph(text: str) -> str:
    """Prose, an example, or lines that are to stay as they are (after click's mark for them)."""
    if text.startswith(EXAMPLE):
        return f"```bash\n{' '.join(text.removeprefix(EXAMPLE).split())}\n```\n"
    if text.startswith(AS_IT_STANDS):
        return f"```text\n{text.removeprefix(AS_IT_STANDS).strip()}\n```\n"
    return escape(text) + "\n"


def describe_option(parameter: Any, context: click.Context) -> str | None:
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return None
    record = parameter.get_help_record(context)
    name, meaning = record or (parameter.human_readable_name, getattr(parameter, "help", "") or "")
    said = escape(" ".join(meaning.split())).replace("|", "\\|")
    # A table's cell ends at every |, also within backticks.
    return f"| <code>{html.escape(name).replace('|', '&#124;')}</code> | {said} |"


def escape(text: str) -> str:
    """Help is plain text: nothing in it is markup."""
    return re.sub(r"([*_<>\[\]`])", r"\\\1", text)
