"""A demonstration: train a family of 12 models, upload it, see its tree recovered.

``python -m benchmarks.demo`` needs a running server (``make run``); MODEL_HERITAGE_URL names
another address than http://127.0.0.1:5001, MODEL_HERITAGE_TOKEN a token for servers that ask.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.columns import Columns
from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.text import Text
from rich.tree import Tree

from benchmarks.exhibit import LARGER, get_exhibit
from benchmarks.scoring import Verdict, judge
from benchmarks.zoo import Zoo
from model_heritage_backend.client import Client
from model_heritage_backend.errors import DuplicateModel, HeritageError, ServerUnreachable

URL = "http://127.0.0.1:5001"


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """The zoo's models on the server."""

    ids: Mapping[str, str]
    """Name -> id on the server."""
    known_before: frozenset[str]
    """Names of the models whose bytes were on the server already."""


def upload_all(client: Client, zoo: Zoo, *, seed: int, console: Console) -> Uploaded:
    """Upload every model in shuffled order."""
    names = sorted(zoo.ids)
    random.Random(seed).shuffle(names)
    ids, known = {}, set()
    with Progress(console=console, transient=True) as progress:
        for name in progress.track(names, description="Uploading"):
            try:
                ids[name] = client.upload(zoo.path(name), name=name).id
            except DuplicateModel as error:
                ids[name] = error.extra["existing_id"]
                known.add(name)
    return Uploaded(ids=ids, known_before=frozenset(known))


def fetch_document(client: Client, zoo: Zoo, uploaded: Uploaded) -> dict[str, Any]:
    """The server's answer as a heritage document of the zoo's models.

    Relatives that were on the server before are no part of the demonstration and left out.
    """
    models = {name: client.get_model(model_id) for name, model_id in uploaded.ids.items()}
    families = sorted({m.family_id for m in models.values() if m.family_id is not None})
    ours = set(uploaded.ids.values())
    return {
        "models": [
            {"id": m.id, "path": zoo.path(name).name, "family": m.family_id}
            for name, m in models.items()
        ],
        "edges": [
            {"parent": parent, "child": child, **edge}
            for family_id in families
            for parent, child, edge in client.tree(family_id).edges(data=True)
            if parent in ours and child in ours
        ],
        "families": [{"id": f, "root": client.get_family(f).root_id} for f in families],
    }


def draw_true(zoo: Zoo) -> Tree:
    """The true genealogy; further parents of a merge stand beside it."""
    entries: dict[str, tuple[str | None, str]] = {}
    for edge in zoo.truth["edges"]:
        child, parent = zoo.names[edge["child"]], zoo.names[edge["parent"]]
        if edge["main"]:
            entries[child] = (parent, f"[bold]{child}[/] [dim]{edge['relation']}[/]")
        else:
            entries[child] = (entries[child][0], f"{entries[child][1]} [dim]and {parent}[/]")
    labels = {name: (None, f"[bold]{name}[/]") for name in zoo.ids} | entries
    return _draw("[bold]As it was trained[/]", labels)


def draw_recovered(zoo: Zoo, uploaded: Uploaded, document: Mapping[str, Any]) -> Tree:
    """The server's genealogy; every edge marked right or wrong, with its confidence."""
    names = {model_id: name for name, model_id in uploaded.ids.items()}
    verdicts = {zoo.names[v.model]: v for v in judge(zoo.truth, document).verdicts}
    labels: dict[str, tuple[str | None, str]] = {}
    main = {names[e["child"]]: e for e in document["edges"] if e["main"]}
    further = {names[e["child"]]: names[e["parent"]] for e in document["edges"] if not e["main"]}
    for name in zoo.ids:
        edge = main.get(name)
        label = f"{_mark(verdicts[name])} [bold]{name}[/]"
        if edge is None:
            labels[name] = (None, label)
            continue
        label += f" [dim]{edge['relation']}[/]"
        if name in further:
            label += f" [dim]and {further[name]}[/]"
        labels[name] = (names[edge["parent"]], f"{label} [cyan]{edge['confidence']:.0%}[/]")
    return _draw("[bold]As the weights tell it[/]", labels)


def _mark(verdict: Verdict) -> str:
    right = verdict.right or (verdict.is_root and verdict.parent is None)
    return "[green]✓[/]" if right else "[red]✗[/]"


def _draw(title: str, labels: Mapping[str, tuple[str | None, str]]) -> Tree:
    tree = Tree(title, hide_root=False)
    places: dict[str, Tree] = {}

    def place(name: str) -> Tree:
        if name not in places:
            parent, label = labels[name]
            places[name] = (tree if parent is None else place(parent)).add(label)
        return places[name]

    for name in sorted(labels):
        place(name)
    return tree


def count_right(verdicts: Sequence[Verdict]) -> str:
    """One sentence on the verdicts."""
    children = [verdict for verdict in verdicts if not verdict.is_root]
    right = [verdict for verdict in children if verdict.right]
    relations = sum(verdict.relation == verdict.true_relation for verdict in right)
    text = f"{len(right)} of {len(children)} parents are right"
    return f"{text}, and {relations} of those {len(right)} relations."


def run(client: Client, zoo: Zoo, *, seed: int, console: Console) -> None:
    """Upload a zoo and print its recovered tree beside the true one."""
    begun = time.perf_counter()
    uploaded = upload_all(client, zoo, seed=seed, console=console)
    seconds = time.perf_counter() - begun
    document = fetch_document(client, zoo, uploaded)
    true, recovered = draw_true(zoo), draw_recovered(zoo, uploaded, document)
    console.print(Columns([Panel(true), Panel(recovered)]))
    console.print(count_right(judge(zoo.truth, document).verdicts))
    console.print(f"Uploaded and solved in {seconds:.1f} s. See it: {get_url()}/families")
    if uploaded.known_before:
        count = len(uploaded.known_before)
        console.print(f"{count} of these files were on the server before; other seed: --seed N.")


def get_url() -> str:
    return os.environ.get("MODEL_HERITAGE_URL", URL).rstrip("/")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, another family")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        with (
            Client(get_url(), os.environ.get("MODEL_HERITAGE_TOKEN")) as client,
            tempfile.TemporaryDirectory() as scratch,
        ):
            # Before the training, whether there is a server that lets us in.
            next(client.list_models(), None)
            with console.status("Training 12 small vision transformers (about 20 seconds) ..."):
                begun = time.perf_counter()
                zoo = get_exhibit(Path(scratch), architecture=LARGER, seed=options.seed)
            console.print(f"12 models trained in {time.perf_counter() - begun:.0f} s.")
            run(client, zoo, seed=options.seed, console=console)
    except ServerUnreachable as error:
        console.print(Text(f"{error} Start it with `make run`, then try again."), soft_wrap=True)
        return 1
    except HeritageError as error:
        console.print(Text(f"The server refused: {error}"), soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
