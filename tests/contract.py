"""Requests made from the OpenAPI document, allowed and forbidden ones, to a real application.

``python -m tests.contract --cases 10000`` prints what was asked and what was wrong. Routes are
known here only to have something of each kind there: ids in paths and bodies, cursors and files are
filled in by their names and kinds.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import schemathesis
from apiflask import APIFlask
from flask.testing import FlaskClient
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import Status, events, from_schema
from schemathesis.generation.meta import CoveragePhaseData

from model_heritage_backend.app import close_app, create_app
from tests.databases import make_settings

SEED = 20261121
MEMBERS = ("base", "noisy", "rotated", "noisy-rotated", "noisy-int8")
"""Of the exhibit: the fourth is a merge of the second and third."""
FIRST_EXAMPLES = 5
MOST_EXAMPLES = 60
MOST_MODELS = 12
REFRESH = 40
"""Requests between two looks at what is there: some requests delete."""
# A random If-Match names no state, and random bytes are no checkpoint.
POSITIVE = ["2xx", "3xx", "403", "404", "409", "412", "413", "415", "422", "423", "460"]
NEGATIVE = ["400", "403", "404", "405", "409", "412", "413", "415", "422", "423", "460"]
ALLOWED = {
    "positive_data_acceptance": POSITIVE,
    "negative_data_rejection": NEGATIVE,
    # What tus asks for.
    "missing_required_header": ["400", "404", "412"],
}
UNSAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    # Not of a family and of a model; a card is of a model.
    "GET /api/lineage/export": {"positive_data_acceptance": [*POSITIVE, "400"]},
    # A table must be CSV. A row that is wrong is refused by itself.
    "POST /api/claims": {
        "positive_data_acceptance": [*POSITIVE, "400"],
        "negative_data_rejection": [*NEGATIVE, "200"],
    },
    # Members of this family, but not all of them.
    "POST /api/families/{family_id}/split": {"positive_data_acceptance": [*POSITIVE, "400"]},
    # A parent for two of the three kinds, and one that can be a parent.
    "PUT /api/models/{model_id}/constraints": {"positive_data_acceptance": [*POSITIVE, "400"]},
    # Text in base64 within a header, with a name in it.
    "POST /api/uploads": {
        "positive_data_acceptance": [*POSITIVE, "400"],
        "negative_data_rejection": [*NEGATIVE, "201"],
    },
    # Headers that nobody knows are passed over.
    "PATCH /api/uploads/{upload_id}": {
        "positive_data_acceptance": [*POSITIVE, "400"],
        "negative_data_rejection": [*NEGATIVE, "204"],
    },
    "DELETE /api/uploads/{upload_id}": {"negative_data_rejection": [*NEGATIVE, "204"]},
    "HEAD /api/uploads/{upload_id}": {"negative_data_rejection": [*NEGATIVE, "200"]},
}
"""What a schema cannot say of an operation's requests."""
TUS = {"Tus-Resumable": "1.0.0"}
ANNOUNCED = {"Upload-Length": "1000", "Upload-Metadata": "filename dHVzLnNhZmV0ZW5zb3Jz"}
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@dataclass(frozen=True)
class Report:
    """What came of a run."""

    cases: int
    seconds: float
    statuses: Mapping[str, Counter[int]]
    """Of each operation (``GET /api/models``), how often it answered what."""
    failures: Sequence[str]

    @property
    def unreached(self) -> list[str]:
        """Operations that never did what they are for."""
        return [name for name, found in self.statuses.items() if not any(s < 300 for s in found)]

    def __str__(self) -> str:
        lines = [f"{self.cases} cases of {len(self.statuses)} operations in {self.seconds:.0f} s"]
        for name, found in sorted(self.statuses.items()):
            counts = ", ".join(f"{count} x {status}" for status, count in sorted(found.items()))
            lines.append(f"  {name}: {counts}")
        return "\n".join([*lines, f"{len(self.failures)} failures", *self.failures])


class Lake:
    """What the requests may find: models that are there, and files that could be."""

    def __init__(self, client: FlaskClient, files: Sequence[Path], *, folder: Path | None) -> None:
        self.client = client
        self.folder = folder
        self.contents = [(path.name, path.read_bytes()) for path in files]
        self.ids: dict[str, list[str]] = {}
        self._age = 0

    def refresh(self) -> None:
        """Look what there is, and put back what was deleted."""
        self._age -= 1
        if self._age > 0:
            return
        self._age = REFRESH
        models = self._list("models")
        while len(models) > MOST_MODELS:
            self.client.delete(f"/api/models/{models.pop()}")
        if len(models) < len(self.contents) // 2 + 1:
            for name, content in self.contents:
                self.client.put(f"/api/models?name={name}", data=content)
            models = self._list("models")
        self.ids = {"model_id": models, "other_id": models}
        self.ids["family_id"] = self._list("families")
        self.ids["job_id"] = self._list("jobs")
        self.ids["number"] = self.ids["other"] = ["1"]
        self.ids["upload_id"] = self._announce()
        self.state()

    def _announce(self) -> list[str]:
        """A resumable upload that may be gone on with."""
        for upload_id in self.ids.get("upload_id", ()):
            self.client.delete(f"/api/uploads/{upload_id}", headers=TUS)
        answer = self.client.post("/api/uploads", headers=TUS | ANNOUNCED)
        return [answer.headers["Location"].rsplit("/", 1)[-1]] if answer.status_code == 201 else []

    def state(self) -> None:
        """Have a statement that may be taken back: others go with their models."""
        self.ids["constraint_id"] = self._state(self._list("models"))

    def _state(self, models: Sequence[str]) -> list[str]:
        found = [one for id_ in models for one in self._list("constraints", f"models/{id_}/")]
        if found or not models:
            return found
        body = {"kind": "root", "author": "Ada"}
        answer = self.client.put(f"/api/models/{models[0]}/constraints", json=body)
        return [answer.get_json()["constraint"]["id"]] if answer.status_code == 201 else []

    def _list(self, plural: str, prefix: str = "") -> list[str]:
        answer = self.client.get(f"/api/{prefix}{plural}")
        found = answer.get_json().get(plural, []) if answer.status_code == 200 else []
        return [item["id"] for item in found if "id" in item]

    def find_cursor(self, path: str) -> str | None:
        answer = self.client.get(path, query_string={"limit": 1})
        found = answer.get_json() if answer.status_code == 200 else {}
        return found.get("next_cursor")


class Improver:
    """Makes random requests meet what is there, most of the time."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def __call__(self, case: Case[Any], kwargs: dict[str, Any]) -> None:
        self._lake.refresh()
        meta = case.meta
        if meta is None:
            return
        positive = meta.generation.mode == GenerationMode.POSITIVE
        dice = zlib.crc32(repr((case.path_parameters, case.query, case.id)).encode())
        tested = meta.phase.data.parameter if isinstance(meta.phase.data, CoveragePhaseData) else ""
        if "constraint_id" in case.path_parameters:
            self._lake.state()
        place = meta.components.get(ParameterLocation.PATH)
        wrong = place is not None and place.mode == GenerationMode.NEGATIVE
        for number, (name, known) in enumerate(self._lake.ids.items()):
            if wrong:
                break
            if known and name in case.path_parameters and name != tested and dice % 8:
                case.path_parameters[name] = known[(dice >> 3 * number) % len(known)]
        # A random tag would refuse nearly every change before its route sees it.
        if tested != "If-Match" and dice % 5:
            case.headers.pop("If-Match", None)
        if positive and "Upload-Offset" in case.headers and dice % 3:
            case.headers["Upload-Offset"] = "0"
            case.headers.pop("Upload-Checksum", None)
        if positive and "Upload-Length" in case.headers and dice % 3:
            case.headers.update(ANNOUNCED)
            case.headers.pop("Upload-Checksum", None)
        if positive:
            self._improve_query(case)
            self._improve_body(case, kwargs, dice)

    def _improve_query(self, case: Case[Any]) -> None:
        if "tags" in case.query:
            # Each may be several, of which all together may not be too many.
            case.query["tags"] = case.query["tags"][:1]
        if "cursor" in case.query:
            cursor = self._lake.find_cursor(case.formatted_path)
            case.query.clear()
            if cursor is not None:
                case.query["cursor"] = cursor
        if case.operation.label == "PUT /api/models" and not any(
            str(case.query.get(name, "")).strip() for name in ("name", "filename")
        ):
            case.query["name"] = "named"

    def _improve_body(self, case: Case[Any], kwargs: dict[str, Any], dice: int) -> None:
        name, content = self._lake.contents[dice % len(self._lake.contents)]
        if dice % 4 == 0:
            content = content[: len(content) // 2]
        elif dice % 4 == 1:
            # Another model: the last value differs a little.
            content = content[:-4] + dice.to_bytes(4, "little")[:2] + content[-2:]
        if case.media_type == "multipart/form-data" and isinstance(case.body, dict):
            texts = {key: v for key, v in case.body.items() if isinstance(v, str) and key != "file"}
            kwargs["data"] = texts | {"file": (BytesIO(content), name)}
        elif case.media_type == "application/octet-stream" and dice % 3:
            kwargs["data"] = content
        elif case.media_type == "application/json" and isinstance(case.body, dict) and dice % 3:
            self._improve_document(case.body, dice)

    def _improve_document(self, body: dict[str, Any], dice: int) -> None:
        models = self._lake.ids["model_id"]
        known: dict[str, Any] = {"folder": str(self._lake.folder)}
        if models:
            chosen = models[dice % len(models)]
            known |= {"parent": chosen, "models": [chosen]}
        for name, value in known.items():
            if name in body:
                body[name] = value
        if body.get("kind") == "root":
            body.pop("parent", None)


def run_contract(
    app: APIFlask,
    files: Sequence[Path],
    *,
    cases: int,
    folder: Path | None = None,
    seed: int = SEED,
) -> Report:
    """Send at least ``cases`` requests to ``app``, which holds (some of) ``files`` then, and may
    import ``folder``.

    First the document's examples and every limit in it, once; then random requests and chains
    of them, in rounds, until there are enough.
    """
    client = app.test_client()
    spec = client.get("/api/openapi.json").get_json()
    labels = [f"{m.upper()} {path}" for path, methods in spec["paths"].items() for m in methods]
    statuses: dict[str, Counter[int]] = {label: Counter() for label in labels}
    failures: dict[str, str] = {}
    improve = Improver(Lake(client, files, folder=folder))

    def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        improve(case, kwargs)

    begun, round_ = time.monotonic(), 0
    schemathesis.hook(before_call)
    try:
        while (missing := cases - _count(statuses)) > 0:
            # Half of them for random requests, the rest for chains. The limits come first.
            wanted = max(2, missing // (2 * len(labels))) if round_ else FIRST_EXAMPLES
            examples = min(MOST_EXAMPLES, wanted)
            config = _configure(seed + round_, examples, complete=round_ == 0)
            schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)
            stream = from_schema(schema).execute()
            for event in stream:
                _take(event, statuses, failures)
                if round_ and _count(statuses) >= cases:
                    stream.stop()
            round_ += 1
    finally:
        schemathesis.hooks.unregister(before_call)
    return Report(
        cases=_count(statuses),
        seconds=time.monotonic() - begun,
        statuses=statuses,
        failures=[f"{title}\n{text}" for title, text in failures.items()],
    )


def _configure(seed: int, examples: int, *, complete: bool) -> schemathesis.Config:
    once = {"enabled": complete}
    return schemathesis.Config.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "checks": _expect(ALLOWED),
            "operations": [
                {"include-name": name, "checks": _expect({**ALLOWED, **said})}
                for name, said in UNSAID.items()
            ],
            # One method that no route has is enough: which ones are allowed has tests of its own.
            "phases": {"examples": once, "coverage": once | {"unexpected-methods": ["TRACE"]}},
        }
    )


def _expect(allowed: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {check: {"expected-statuses": list(statuses)} for check, statuses in allowed.items()}


def _count(statuses: Mapping[str, Counter[int]]) -> int:
    return sum(found.total() for found in statuses.values())


def _take(event: Any, statuses: Mapping[str, Counter[int]], failures: dict[str, str]) -> None:
    if isinstance(event, events.NonFatalError):
        failures[f"{event.label}: {event.value!r}"] = ""
    elif isinstance(event, events.FatalError):
        raise event.exception
    elif isinstance(event, events.ScenarioFinished):
        for case_id, interaction in event.recorder.interactions.items():
            label = event.recorder.cases[case_id].value.operation.label
            answer = interaction.response
            statuses[label][0 if answer is None else answer.status_code] += 1
        failures |= _list_failures(event.recorder)


def _list_failures(recorder: Any) -> dict[str, str]:
    """One of each kind for each operation."""
    found = {}
    for checks in recorder.checks.values():
        for check in checks:
            if check.status == Status.FAILURE:
                failure = check.failure_info.failure
                key = f"{failure.operation}: {failure.title}"
                found[key] = f"    {failure.message}\n    {check.failure_info.code_sample[:800]}"
    return found


def hold_to_contract(
    files: Sequence[Path], folder: Path, *, cases: int, seed: int = SEED
) -> Report:
    """``run_contract`` of a server with all its data in ``folder``."""
    imports = folder / "imports"
    imports.mkdir()
    shutil.copy(files[0], imports)
    app = create_app(make_settings(folder / "uploads", import_roots=(imports,), log_level="ERROR"))
    try:
        return run_contract(app, files, cases=cases, folder=imports, seed=seed)
    finally:
        close_app(app)


def main() -> int:
    from benchmarks.exhibit import get_exhibit, get_strangers
    from tests.conftest import CACHE

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    zoo = get_exhibit(CACHE)
    files = [zoo.path(name) for name in MEMBERS]
    with tempfile.TemporaryDirectory() as folder:
        report = hold_to_contract(
            [*files, get_strangers(CACHE)[0]],
            Path(folder),
            cases=options.cases,
            seed=options.seed,
        )
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
