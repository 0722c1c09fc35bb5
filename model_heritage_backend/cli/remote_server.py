"""The commands ``upload``, ``recluster`` and ``jobs``: what a running server is asked to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from model_heritage_backend.cli.console import make_console, print_json
from model_heritage_backend.cli.drawing import printable
from model_heritage_backend.cli.progress import show_progress
from model_heritage_backend.client import Client, RemoteJob, RemoteModel
from model_heritage_backend.errors import DuplicateModel, HeritageError, ServerUnreachable

DONE, SOME_REFUSED = 0, 1
SHOWN_JOBS = 50


def run_upload(
    files: Sequence[Path],
    server: str,
    *,
    fields: dict[str, Any],
    wait: bool,
    as_json: bool,
    token: str | None = None,
) -> int:
    """Send checkpoints, one after another; gives the exit code.

    Parameters
    ----------
    fields : what people say of the models, as ``Client.upload`` takes it
    wait : until their places are found
    """
    results = []
    with Client(server, token) as client:
        for path in files:
            results.append(_send(client, path, fields, wait=wait))
            if not as_json:
                _tell(results[-1])
    if as_json:
        print_json(results)
    return DONE if all(r["error"] is None for r in results) else SOME_REFUSED


def _send(client: Client, path: Path, fields: dict[str, Any], *, wait: bool) -> dict[str, Any]:
    notes = make_console(stderr=True)
    result: dict[str, Any] = {"file": str(path), "model": None, "error": None}
    with show_progress(notes) as progress:
        task = progress.add_task("Sending", total=None)
        try:
            model = client.upload(
                path,
                wait=wait,
                progress=lambda done, size: progress.update(task, completed=done, total=size),
                **fields,
            )
        except ServerUnreachable:
            # Nobody will take the other files either.
            raise
        except DuplicateModel as refusal:
            known = {"id": refusal.extra.get("existing_id")}
            return result | {"model": known, "already_there": True, "detail": refusal.detail}
        except HeritageError as refusal:
            return result | {"error": {"type": refusal.type, "detail": refusal.detail}}
    parent = None if model.parent_id is None else client.get_model(model.parent_id).name
    return result | {"model": _describe(model, parent), "already_there": False}


def _describe(model: RemoteModel, parent: str | None) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "status": model.status,
        "parent": parent,
        "relation": model.relation,
        "confidence": model.confidence,
    }


def _tell(result: dict[str, Any]) -> None:
    file = printable(Path(result["file"]).name)
    if result["error"]:
        notes = make_console(stderr=True)
        notes.print(Text.assemble(file, ": ", (result["error"]["detail"], "red")), soft_wrap=True)
        return
    console = make_console(stderr=False)
    if result["already_there"]:
        console.print(Text.assemble(file, ": ", printable(result["detail"])))
        return
    model = result["model"]
    text = Text.assemble(file, f": {model['id']}")
    if model["status"] == "processing":
        text.append(", its place is being found")
    elif model["parent"] is not None:
        text.append(f", {model['relation']} of ").append_text(printable(model["parent"]))
        text.append(f", {model['confidence']:.0%} sure", style="dim")
    console.print(text)


def run_recluster(
    server: str, *, force: bool, wait: bool, as_json: bool, token: str | None = None
) -> int:
    """Have all families and trees found anew."""
    with Client(server, token) as client:
        job = client.recluster(force=force)
        if wait:
            job = client.wait_for_job(job.id)
    if as_json:
        print_json(_describe_job(job))
    else:
        make_console(stderr=False).print(f"Job {job.id}: {job.state}.")
    return DONE


def run_jobs(
    server: str, *, state: str | None, every: bool, as_json: bool, token: str | None = None
) -> int:
    """Print the jobs, the newest first."""
    with Client(server, token) as client:
        jobs = [_describe_job(job) for job in _take(client.list_jobs(state=state), every=every)]
    if as_json:
        print_json(jobs)
        return DONE
    table = Table("job", "kind", "state", "done", "model", "error", box=None, pad_edge=False)
    for job in jobs:
        table.add_row(
            *(job[of] for of in ("id", "kind", "state")),
            f"{job['progress']:.0%}",
            job["model_id"] or "",
            printable(job["error"] or ""),
        )
    make_console(stderr=False).print(table if jobs else "No jobs.")
    return DONE


def _take(jobs: Iterator[RemoteJob], *, every: bool) -> Iterator[RemoteJob]:
    for number, job in enumerate(jobs):
        if number == SHOWN_JOBS and not every:
            return
        yield job


def _describe_job(job: RemoteJob) -> dict[str, Any]:
    members = ("id", "kind", "state", "progress", "model_id", "error")
    return {member: getattr(job, member) for member in members}
