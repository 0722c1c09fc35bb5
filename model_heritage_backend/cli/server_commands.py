"""Commands on a server and its data: their options. All else is imported when one runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from model_heritage_backend.cli.options import AsJson, Token

DEFAULT_SERVER = "http://localhost:5001"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


Server = Annotated[
    str,
    typer.Option(
        "--server", metavar="URL", envvar="MODEL_HERITAGE_SERVER", help="Address of the server."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder of everything the server keeps [default: as the settings have it]."),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Until it is done.")]


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the catalogue and the API; what is not given comes from the settings.

    Example: model-heritage serve --port 5001 --data-dir ~/heritage
    """
    from model_heritage_backend.cli.serve import run_server

    raise typer.Exit(run_server(host=host, port=port, data_dir=data_dir))


class QueueName(StrEnum):
    DEFAULT = "default"
    LINEAGE = "lineage"
    MAINTENANCE = "maintenance"


def worker(
    queue: Annotated[
        list[QueueName] | None,
        typer.Option(help="What to work on, the first one first; may be repeated [default: all]."),
    ] = None,
    burst: Annotated[bool, typer.Option("--burst", help="End when no job waits.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell whether one runs on this machine.")
    ] = False,
) -> None:
    """Do the jobs of servers; REDIS_URL, DATABASE_URL and the data folder are theirs.

    Example: model-heritage worker --queue default --queue lineage

    Exit code: 0 it was stopped, or with --check there is one; 1 it cannot start, or there is none.
    """
    from model_heritage_backend.cli.serve import check_worker, run_worker

    names = [name.value for name in (queue or QueueName)]
    raise typer.Exit(check_worker() if check else run_worker(names, burst=burst))


def upload(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, help="Checkpoints, or folders of a model's parts."),
    ],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    name: Annotated[str | None, typer.Option(help="Of one model; else the file's name.")] = None,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
    licence: Annotated[str | None, typer.Option(help="As declared.")] = None,
    task: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    base_model: Annotated[str | None, typer.Option(help="What it is said to come from.")] = None,
    wait: Wait = True,
    json: AsJson = False,
) -> None:
    """Send checkpoints to a server; large ones survive a lost connection.

    Example: model-heritage upload base.safetensors child.safetensors --licence mit

    Exit code: 0 all are there, 1 some were refused, 2 usage, or no server answers.
    """
    from model_heritage_backend.cli.remote_server import run_upload

    if name is not None and len(files) > 1:
        raise typer.BadParameter("--name is for one file.")
    fields = {
        "name": name,
        "description": description,
        "licence": licence,
        "task": task,
        "tags": tuple(tag or ()),
        "base_model": base_model,
    }
    raise typer.Exit(run_upload(files, server, fields=fields, wait=wait, as_json=json, token=token))


def delete(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of models.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Id of a family: all its models.")] = None,
    owner: Annotated[
        str | None, typer.Option(help="Id of a user or token: all that they brought.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    json: AsJson = False,
) -> None:
    """Delete models of a server and their files; what follows is told before it is done.

    Example: model-heritage delete m_3b1f0c5d9e7a2468 --server http://localhost:5001

    Exit code: 0 they are gone, 1 nothing was deleted, 2 usage.
    """
    from model_heritage_backend.cli.deletion import run_delete

    if sum((bool(models), family is not None, owner is not None)) != 1:
        raise typer.BadParameter("Name models, or --family, or --owner.")
    targets = [("model", id_) for id_ in models or ()]
    targets += [(kind, id_) for kind, id_ in (("family", family), ("owner", owner)) if id_]
    raise typer.Exit(run_delete(targets, server, yes=yes, as_json=json, token=token))


def recluster(
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    wait: Wait = True,
    force: Annotated[
        bool, typer.Option("--force", help="Solve also what has not changed since it was solved.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Have a server find all families and trees anew.

    Example: model-heritage recluster --server http://localhost:5001
    """
    from model_heritage_backend.cli.remote_server import run_recluster

    raise typer.Exit(run_recluster(server, force=force, wait=wait, as_json=json, token=token))


def jobs(
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    state: Annotated[JobState | None, typer.Option(help="Only these.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Not only the latest 50.")] = False,
    json: AsJson = False,
) -> None:
    """List what a server works at, and what it did, the newest first.

    Example: model-heritage jobs --state failed
    """
    from model_heritage_backend.cli.remote_server import run_jobs

    wanted = None if state is None else state.value
    raise typer.Exit(run_jobs(server, state=wanted, every=every, as_json=json, token=token))


def backup(
    target: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Copy a server's data while it runs: database, and all files held against their checksums.

    Example: model-heritage backup /backups/2026-11-21 --data-dir ~/heritage

    Exit code: 0 done, 1 some files are missing or damaged (the rest is copied), 2 usage.
    """
    from model_heritage_backend.cli.data import run_backup

    raise typer.Exit(run_backup(target, data_dir=data_dir, as_json=json))


def restore(
    source: Annotated[Path, typer.Argument(exists=True, help="A backup.")],
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Put a backup into a new or empty data folder, every byte held against its checksum.

    Example: model-heritage restore /backups/2026-11-21 --data-dir ~/heritage-again
    """
    from model_heritage_backend.cli.data import run_restore

    raise typer.Exit(run_restore(source, data_dir=data_dir, as_json=json))


def check(
    data_dir: DataDir = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at the lengths of files, not at their bytes.")
    ] = False,
    backup: Annotated[
        Path | None,
        typer.Option("--backup", exists=True, help="Look at a backup instead, every byte of it."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Tell whether a server's database and files are whole and belong together.

    Example: model-heritage check --data-dir ~/heritage

    Exit code: 0 all is well, 1 there are problems, 2 usage.
    """
    from model_heritage_backend.cli.data import run_check

    raise typer.Exit(run_check(data_dir=data_dir, quick=quick, backup=backup, as_json=json))


COMMANDS = (serve, worker, upload, delete, recluster, jobs, backup, restore, check)
