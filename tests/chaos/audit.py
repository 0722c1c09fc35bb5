"""Whether a server and its folder are as promised, once nobody asks for anything."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine

from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.database_file import DatabaseFile
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.leftovers import SAID_CHECKSUM
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.services.backups import check_data
from tests.chaos.ledger import Ledger
from tests.chaos.servers import Victim

QUIET_SECONDS = 90.0
ORPHANS = {
    "a family without members": (
        "SELECT id FROM families WHERE id NOT IN"
        " (SELECT family_id FROM models WHERE family_id IS NOT NULL)"
    ),
    "a placed model without family": (
        "SELECT id FROM models WHERE status = 'ok' AND family_id IS NULL"
    ),
    "a model that is not placed": "SELECT id || ': ' || coalesce(error, status) FROM models"
    " WHERE status <> 'ok'",
    "a model without fingerprint": (
        "SELECT id FROM models WHERE id NOT IN (SELECT model_id FROM fingerprints WHERE admitted)"
    ),
    "an edge outside its family": (
        "SELECT child_id FROM parentages JOIN models ON id = child_id"
        " WHERE parentages.family_id IS NOT models.family_id"
    ),
    "a root outside its family": (
        "SELECT families.id FROM families LEFT JOIN models ON models.id = root_id"
        " WHERE root_id IS NOT NULL AND models.family_id IS NOT families.id"
    ),
    "a split without members": (
        "SELECT id FROM constraints WHERE kind = 'split' AND id NOT IN"
        " (SELECT constraint_id FROM split_members)"
    ),
    "a job that is not over": (
        "SELECT id || ': ' || kind || ' ' || state FROM jobs WHERE state IN ('queued', 'running')"
    ),
    "a job that failed": (
        "SELECT id || ': ' || kind || ' ' || coalesce(error, '') FROM jobs WHERE state = 'failed'"
        # What it was about was deleted, or went up in another family, before its turn came.
        " AND error NOT LIKE 'There is no %'"
    ),
}


class Audit:
    """Everything that is checked after a restart, or at rest; faults go to the ledger."""

    def __init__(self, victim: Victim, ledger: Ledger) -> None:
        self._victim = victim
        self._ledger = ledger

    def check(self, *, deep: bool) -> None:
        """With ``deep``, all models are downloaded, too (their files are read in any case), and the
        genealogy is held against one from scratch."""
        self._resolve()
        self._wait_for_rest()
        self._check_models(download=deep)
        self._check_database()
        self._check_files()
        if deep:
            self._check_genealogy()

    def _resolve(self) -> None:
        """Of requests without an answer, the server now tells what became of them. Resumable
        uploads that are whole go on by themselves, so these are asked for later."""
        for entry in self._ledger.entries:
            if entry.sending is None:
                continue
            status, answer = self._victim.ask("GET", entry.sending.address)
            if status != 200 or answer["offset"] < entry.sending.offset:
                self._accuse(f"the upload of {entry.number} lost bytes: {status} {answer}")
            if status != 200 or answer["state"] in ("done", "failed"):
                entry.sending = None

    def _wait_for_rest(self) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            # First the uploads: one that is settled has its job by now, so that the next question
            # finds it, and one that is not is waited for. The other way round, what is settled in
            # between would be seen by neither.
            whole = [
                entry
                for entry in self._ledger.entries
                if entry.sending is not None
                and _goes_on(self._victim.ask("GET", entry.sending.address)[1])
            ]
            waiting = [
                job
                for state in ("queued", "running")
                for job in self._victim.ask("GET", f"/api/jobs?state={state}")[1]["jobs"]
            ]
            # Of a body that broke off, the server may not know yet.
            staged = any((self._victim.data_dir / "staging").iterdir())
            if not waiting and not whole and not staged and not self._try_again():
                return
            time.sleep(0.05)
        jobs = [(job["id"], job["kind"], job["stage"]) for job in waiting]
        self._accuse(f"no rest: jobs {jobs}, {len(whole)} uploads, staging in use: {staged}")

    def _try_again(self) -> bool:
        """Ask again for jobs that were given up as the server died three times at them: with so
        many deaths, that is to be expected. Whether there were any."""
        failed = self._victim.ask("GET", "/api/jobs?state=failed")[1]["jobs"]
        given_up = [job["id"] for job in failed if "The server ended" in (job["error"] or "")]
        for job_id in given_up:
            self._victim.ask("POST", f"/api/jobs/{job_id}/retry")
            self._ledger.count("jobs that three deaths ended, tried again")
        return bool(given_up)

    def _check_models(self, *, download: bool) -> None:
        found = self._list_models()
        for entry in self._ledger.entries:
            model = found.pop(entry.model_id, None)
            if entry.stored is None:
                entry.settle(model is not None)
            if (model is not None) != entry.stored:
                self._accuse(f"model {entry.number}, stored: {entry.stored}, is {model}")
            if model is None:
                continue
            if entry.names and model["name"] not in entry.names:
                self._accuse(f"model {entry.number} is {model['name']}, not {entry.names}")
            entry.names = {model["name"]}
            if not download:
                continue
            status, content = self._victim.ask("GET", f"/api/models/{entry.model_id}/download")
            if status != 200 or hashlib.sha256(content).hexdigest() != entry.checksum:
                self._accuse(f"model {entry.number} lost its bytes: {status}")
        if found:
            self._accuse(f"unknown models: {sorted(found)[:5]}")

    def _list_models(self) -> dict[str, Any]:
        """All models by their ids."""
        found: dict[str, Any] = {}
        path = "/api/models?limit=200"
        while True:
            answer = self._victim.ask("GET", path)[1]
            found |= {model["id"]: model for model in answer["models"]}
            if answer["next_cursor"] is None:
                return found
            path = f"/api/models?limit=200&cursor={quote(answer['next_cursor'])}"

    def _check_database(self) -> None:
        path = self._victim.data_dir / "app.db"
        for fault in DatabaseFile(path).find_faults():
            self._accuse(fault)
        stored = {entry.checksum for entry in self._ledger.list_stored()}
        with contextlib.closing(sqlite3.connect(path)) as database:
            for what, query in ORPHANS.items():
                rows = [row[0] for row in database.execute(query)]
                if rows:
                    self._accuse(f"{what}: {rows[:5]}")
            checksums = {row[0] for row in database.execute("SELECT checksum FROM models")}
            keys = [row[0] for row in database.execute("SELECT key FROM edge_evidence")]
        if checksums != stored:
            self._accuse(f"rows of {len(checksums - stored)} unknown models")
        known = {checksum[:32] for checksum in stored}
        stray = [k for k in keys if any(c[:32] not in known for c in SAID_CHECKSUM.findall(k))]
        if stray:
            self._accuse(f"evidence of models that are gone: {stray[:3]}")

    def _check_files(self) -> None:
        data = self._victim.data_dir
        for problem in check_data(data, quick=False, advance=lambda _: None).problems:
            self._accuse(problem)
        staged = [path.name for path in (data / "staging").iterdir()]
        if staged:
            self._accuse(f"left in staging: {staged[:5]}")
        known = {e.sending.address.rsplit("/", 1)[-1] for e in self._ledger.entries if e.sending}
        for path in (data / "resumable").iterdir():
            # Announced, and the answer lost: such an upload is nobody's until it expires.
            if path.suffix not in (".json", "") or (path.suffix == "" and path.name not in known):
                if path.with_suffix(".json").is_file():
                    continue
                self._accuse(f"left in resumable: {path.name}")

    def _check_genealogy(self) -> None:
        """The same database, without what it remembers of pairs, solved again from all files."""
        data = self._victim.data_dir
        with tempfile.TemporaryDirectory(dir=data.parent) as name:
            folder = Path(name)
            DatabaseFile(data / "app.db").copy(folder / "app.db")
            (folder / "blobs").symlink_to(data / "blobs")
            files = FileStore(folder, max_file_bytes=1)
            database = Database(create_engine(f"sqlite:///{folder}/app.db"))
            store = SqlStore(database, files, cache_bytes=1 << 26)
            before = _list_trees(store)
            with contextlib.closing(sqlite3.connect(folder / "app.db")) as copy, copy:
                copy.execute("DELETE FROM edge_evidence")
            ModelManagementSystem(store).recluster_all_models()
            after = _list_trees(store)
            database.close()
        if before != after:
            self._accuse(f"the genealogy is not the one from scratch: {_tell(before, after)}")
        self._ledger.count("genealogies compared")

    def _accuse(self, fault: str) -> None:
        self._ledger.accuse(fault)


def _goes_on(upload: dict[str, Any]) -> bool:
    """Whether the server makes a model of an upload, or is about to, without being asked."""
    state = upload.get("state")
    return state == "processing" or (state == "receiving" and upload["offset"] == upload["length"])


def _list_trees(store: SqlStore) -> dict[tuple[str, ...], FamilyTree]:
    return {family.tree.members: family.tree for family in store.list_families()}


def _tell(
    before: dict[tuple[str, ...], FamilyTree], after: dict[tuple[str, ...], FamilyTree]
) -> str:
    changed = [members for members in before if before.get(members) != after.get(members)]
    told = []
    for members in changed[:2]:
        old, new = before[members], after.get(members)
        gone = set(map(str, old.edges)) ^ set(map(str, new.edges if new else ()))
        told.append(f"{len(members)} members, {len(gone)} edges differ: {sorted(gone)[:2]}")
    return f"{len(changed)} of {len(before)} families ({len(after)} from scratch); {told}"
