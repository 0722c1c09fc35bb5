"""Requests made from the OpenAPI document, allowed and forbidden ones, to a real application.

``python -m tests.contract --cases 10000`` prints what was asked and what was wrong. Nothing here
knows a route: ids in paths, cursors and files are filled in by their names and kinds.
"""

from __future__ import annotations

import argparse
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
from schemathesis.engine import Status, events, from_schema
from schemathesis.generation.meta import CoveragePhaseData

from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import load_settings

SEED = 20261121
MEMBERS = ("base", "noisy", "rotated", "noisy-rotated", "noisy-int8")
"""Of the exhibit: the fourth is a merge of the second and third."""
MOST_EXAMPLES = 60
MOST_MODELS = 12
REFRESH = 40
"""Requests between two looks at what is there: some requests delete."""
ALLOWED = {
    # A random If-Match names no state, and random bytes are no checkpoint.
    "positive_data_acceptance": ["2xx", "3xx", "403", "404", "409", "412", "415", "422"],
    "negative_data_rejection": ["400", "403", "404", "405", "409", "412", "413", "415", "422"],
}


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

    def __init__(self, client: FlaskClient, files: Sequence[Path]) -> None:
        self.client = client
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
        for plural in ("families", "jobs", "uploads"):
            singular = {"families": "family"}.get(plural, plural.removesuffix("s"))
            self.ids[f"{singular}_id"] = self._list(plural)

    def _list(self, plural: str) -> list[str]:
        answer = self.client.get(f"/api/{plural}")
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

    def __call__(self, case: Case, kwargs: dict[str, Any]) -> None:
        self._lake.refresh()
        meta = case.meta
        if meta is None:
            return
        positive = meta.generation.mode == GenerationMode.POSITIVE
        dice = zlib.crc32(repr((case.path_parameters, case.query, case.id)).encode())
        tested = meta.phase.data.parameter if isinstance(meta.phase.data, CoveragePhaseData) else ""
        for number, (name, known) in enumerate(self._lake.ids.items()):
            if known and name in case.path_parameters and name != tested and dice % 8:
                case.path_parameters[name] = known[(dice >> 3 * number) % len(known)]
        # A random tag would refuse nearly every change before its route sees it.
        if tested != "If-Match" and dice % 5:
            case.headers.pop("If-Match", None)
        if positive:
            self._improve_query(case)
            self._improve_body(case, kwargs, dice)

    def _improve_query(self, case: Case) -> None:
        if "cursor" in case.query:
            cursor = self._lake.find_cursor(case.formatted_path)
            case.query.clear()
            if cursor is not None:
                case.query["cursor"] = cursor
        if case.operation.label == "PUT /api/models" and not any(
            str(case.query.get(name, "")).strip() for name in ("name", "filename")
        ):
            case.query["name"] = "named"

    def _improve_body(self, case: Case, kwargs: dict[str, Any], dice: int) -> None:
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


def run_contract(app: APIFlask, files: Sequence[Path], *, cases: int, seed: int = SEED) -> Report:
    """Send at least ``cases`` requests to ``app``, which holds (some of) ``files`` then.

    First the document's examples and every limit in it, once; then random requests and chains
    of them, in rounds, until there are enough.
    """
    client = app.test_client()
    spec = client.get("/api/openapi.json").get_json()
    labels = [f"{m.upper()} {path}" for path, methods in spec["paths"].items() for m in methods]
    statuses: dict[str, Counter[int]] = {label: Counter() for label in labels}
    failures: dict[str, str] = {}
    improve = Improver(Lake(client, files))

    def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
        improve(case, kwargs)

    begun, round_ = time.monotonic(), 0
    schemathesis.hook(before_call)
    try:
        while (missing := cases - _count(statuses)) > 0:
            examples = min(MOST_EXAMPLES, max(2, missing // len(labels)))
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
            "checks": {name: {"expected-statuses": s} for name, s in ALLOWED.items()},
            # One method that no route has is enough: which ones are allowed has tests of its own.
            "phases": {"examples": once, "coverage": once | {"unexpected-methods": ["TRACE"]}},
        }
    )


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
        app = create_app(load_settings(data_dir=Path(folder) / "uploads", log_level="ERROR"))
        try:
            report = run_contract(
                app, [*files, get_strangers(CACHE)[0]], cases=options.cases, seed=options.seed
            )
        finally:
            close_app(app)
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
