"""One of many clients: does one thing after another to a server that may die at any moment."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from tests.chaos.ledger import Entry, Ledger, Sending
from tests.chaos.servers import Victim

BOUNDARY = "chaos-7a1c"
TUS = {"Tus-Resumable": "1.0.0"}
BUSY = (423, 429, 503, 507)
"""Not now: nothing was done."""
PAUSE_SECONDS = 0.05
JSON = {"Content-Type": "application/json"}


class Client(threading.Thread):
    """Owns some models: it alone stores, renames and deletes them; it looks at all others.

    Parameters
    ----------
    owned : its models
    gate : open while a server is to be used
    steps : how many things to do at most; None for no end
    """

    def __init__(
        self,
        victim: Victim,
        ledger: Ledger,
        owned: list[Entry],
        *,
        gate: threading.Event,
        seed: int,
        steps: int | None = None,
    ) -> None:
        super().__init__(name=f"client {seed}", daemon=True)
        self._victim = victim
        self._ledger = ledger
        self._owned = owned
        self._gate = gate
        self._random = random.Random(seed)
        self._steps = steps
        self._ending = threading.Event()
        self._waiting = threading.Event()
        self._names = 0
        self._acts: list[tuple[Callable[[], None], int]] = [
            (self._store, 40),
            (self._store_again, 4),
            (self._cut, 4),
            (self._delete, 14),
            (self._rename, 4),
            (self._download, 14),
            (self._list, 8),
            (self._reprocess, 3),
            (self._rebuild, 4),
            (self._correct, 4),
            (self._recluster, 1),
            (self._clean_up, 1),
        ]

    def run(self) -> None:
        acts, weights = zip(*self._acts, strict=True)
        done = 0
        while not self._ending.is_set() and (self._steps is None or done < self._steps):
            self._waiting.set()
            if not self._gate.wait(0.1):
                continue
            self._waiting.clear()
            # Closed between the two lines above, nobody may count this client as at rest and go on.
            if not self._gate.is_set():
                continue
            [act] = self._random.choices(acts, weights)
            try:
                act()
                done += 1
            except (OSError, HTTPException, json.JSONDecodeError):
                # The server died in the midst of it, or its answer broke off.
                self._ledger.count("interrupted")
                self._ending.wait(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - a client that dies would test nothing
                self._ledger.accuse(f"{act.__name__}: {error!r}")
        self._waiting.set()

    def rest(self, seconds: float) -> bool:
        """Once the gate is closed: whether its last request is over in time."""
        return self._waiting.wait(seconds)

    def end(self) -> None:
        self._ending.set()

    # Storing -----------------------------------------------------------------------------------

    def _store(self) -> None:
        entry = self._choose(lambda e: e.stored is not True)
        if entry is None:
            return
        self._names += 1
        name = f"{entry.number}-{self.ident}-{self._names}"
        way = self._random.choice((self._put, self._post, self._resume))
        before = entry.stored
        entry.begin()
        entry.names.add(name)
        if entry.sending is not None:
            way = self._resume
        status, answer = way(entry, name)
        if status in (201, 202, 204):
            entry.settle(True)
            # A resumable upload has the name that it was announced with.
            if way != self._resume:
                entry.names = {name}
        elif status == 409:
            if before is False and entry.sending is None and "existing_id" in answer:
                self._ledger.accuse(f"model {entry.number} was deleted and is a duplicate")
            entry.settle(True)
        elif status in BUSY:
            entry.stored = before
        elif status != 0:
            self._wonder(f"storing {entry.number} by {way.__name__}", status, answer)
        self._ledger.count("stored" if status in (201, 202, 204) else "not stored")

    def _put(self, entry: Entry, name: str) -> tuple[int, Any]:
        path = f"/api/models?name={name}&filename={entry.number}.safetensors"
        return self._victim.ask("PUT", path, entry.content, self._hurry())

    def _post(self, entry: Entry, name: str) -> tuple[int, Any]:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{entry.number}.safetensors"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + entry.content + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self._victim.ask("POST", "/api/models", body, kind | self._hurry())

    def _resume(self, entry: Entry, name: str) -> tuple[int, Any]:
        """Announce it, or go on where the server says that it stands; 0 while it is not whole."""
        content = entry.content
        if entry.sending is None:
            words = {"name": name, "filename": f"{entry.number}.safetensors"}
            told = ",".join(
                f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items()
            )
            length = {"Upload-Length": str(len(content)), "Upload-Metadata": told}
            status, answer, headers = self._victim.fetch("POST", "/api/uploads", None, TUS | length)
            if status != 201:
                return status, answer
            entry.sending = Sending(headers["Location"], 0)
        sending = entry.sending
        status, answer, headers = self._victim.fetch("HEAD", sending.address, None, TUS)
        if status != 200:
            self._ledger.accuse(f"the upload {sending.address} is gone: {status}")
            entry.sending = None
            return 0, None
        offset = int(headers["Upload-Offset"])
        if offset < sending.offset:
            self._ledger.accuse(f"{sending.address} fell from {sending.offset} to {offset}")
        for end in (len(content) // 2, len(content)):
            if end < offset or (end == offset < len(content)):
                continue
            kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
            status, answer, headers = self._victim.fetch(
                "PATCH", sending.address, content[offset:end], TUS | kind
            )
            if status != 204:
                if status == 409 and "existing_id" in answer:
                    entry.sending = None
                return status, answer
            sending.offset = offset = int(headers["Upload-Offset"])
            if end < len(content) and self._random.random() < 0.3:
                return 0, None
        entry.sending = None
        return 204, None

    def _store_again(self) -> None:
        """The same bytes a second time are refused, whatever way they come."""
        entry = self._choose(lambda e: e.stored is True)
        if entry is not None:
            status, answer = self._put(entry, "again")
            if status not in (409, *BUSY):
                self._wonder(f"storing {entry.number} again", status, answer)

    def _cut(self) -> None:
        """A body that breaks off stores nothing."""
        entry = self._choose(lambda e: e.stored is False and e.sending is None)
        if entry is None:
            return
        connection = self._victim.connect()
        try:
            connection.putrequest("PUT", f"/api/models?name=cut&filename={entry.number}.bin")
            connection.putheader("Content-Length", str(len(entry.content)))
            connection.endheaders()
            connection.send(entry.content[: self._random.randrange(len(entry.content))])
        finally:
            connection.close()
        self._ledger.count("cut")

    # Changing ----------------------------------------------------------------------------------

    def _delete(self) -> None:
        entry = self._choose(lambda e: e.stored is not False and e.sending is None)
        if entry is None:
            return
        before = entry.stored
        entry.begin()
        status, answer = self._victim.ask("DELETE", f"/api/models/{entry.model_id}")
        if status == 204 or (status == 404 and before is None):
            entry.settle(False)
        elif status in BUSY:
            entry.stored = before
        else:
            self._wonder(f"deleting {entry.number}", status, answer)
        self._ledger.count("deleted")

    def _rename(self) -> None:
        entry = self._choose(lambda e: e.stored is True)
        if entry is None:
            return
        self._names += 1
        name = f"{entry.number}-{self.ident}-{self._names}"
        entry.names.add(name)
        body = json.dumps({"name": name}).encode()
        status, answer = self._victim.ask("PATCH", f"/api/models/{entry.model_id}", body, JSON)
        if status == 200:
            entry.names = {name}
        elif status not in BUSY:
            self._wonder(f"renaming {entry.number}", status, answer)
        self._ledger.count("renamed")

    def _correct(self) -> None:
        """A root, or nothing any more: which is refused where others say the contrary."""
        entry = self._choose(lambda e: e.stored is True)
        if entry is None:
            return
        address = f"/api/models/{entry.model_id}/constraints"
        if self._random.random() < 0.5:
            body = json.dumps({"kind": "root", "author": "chaos"}).encode()
            status, answer = self._victim.ask("PUT", address, body, JSON)
        else:
            status, answer = self._victim.ask("DELETE", f"{address}?kind=root&author=chaos")
        if status not in (200, 201, 404, 409, *BUSY):
            self._wonder(f"correcting {entry.number}", status, answer)
        self._ledger.count("corrected")

    def _reprocess(self) -> None:
        entry = self._choose(lambda e: e.stored is True)
        if entry is not None:
            self._do("POST", f"/api/models/{entry.model_id}/reprocess", 200, 202)

    def _rebuild(self) -> None:
        status, answer = self._victim.ask("GET", "/api/families")
        if status == 200 and answer["families"]:
            family = self._random.choice(answer["families"])["id"]
            # It may be gone by now.
            self._do("POST", f"/api/families/{family}/tree/rebuild", 200, 202, 404)

    def _recluster(self) -> None:
        self._do("POST", "/api/clustering/recluster", 202)

    def _clean_up(self) -> None:
        self._do("POST", "/api/maintenance/cleanup", 202)

    def _do(self, method: str, path: str, *expected: int) -> None:
        status, answer = self._victim.ask(method, path)
        if status not in (*expected, *BUSY):
            self._wonder(f"{method} {path}", status, answer)
        self._ledger.count(path.rsplit("/", 1)[-1])

    # Looking -----------------------------------------------------------------------------------

    def _download(self) -> None:
        """What is stored is whole, at any moment, whoever asks."""
        entry = self._random.choice(self._ledger.entries)
        version, stored = entry.version, entry.stored
        status, content = self._victim.ask("GET", f"/api/models/{entry.model_id}/download")
        if version != entry.version or stored is None:
            return
        if stored and status not in BUSY:
            if status != 200 or hashlib.sha256(content).hexdigest() != entry.checksum:
                self._ledger.accuse(f"downloading {entry.number}: {status}, or other bytes")
        elif not stored and entry.sending is None and status != 404:
            self._ledger.accuse(f"model {entry.number} is not stored, and downloaded: {status}")
        self._ledger.count("downloaded")

    def _list(self) -> None:
        path = self._random.choice(("/api/models", "/api/families", "/api/stats", "/api/jobs"))
        self._do("GET", path, 200)

    # Help --------------------------------------------------------------------------------------

    def _choose(self, fits: Callable[[Entry], bool]) -> Entry | None:
        fitting = [entry for entry in self._owned if fits(entry)]
        return self._random.choice(fitting) if fitting else None

    def _hurry(self) -> dict[str, str]:
        return {"Prefer": "respond-async"} if self._random.random() < 0.5 else {}

    def _wonder(self, what: str, status: int, answer: Any) -> None:
        self._ledger.accuse(f"{what}: {status} {str(answer)[:300]}")
