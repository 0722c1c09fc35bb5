"""The jobs that find a model's place in the genealogy, or families anew."""

from __future__ import annotations

import logging
from typing import Any

from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.clustering.family_tasks import Solvers
from model_heritage_backend.jobs.run import Interruption, Progress
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.genealogy_turns import GenealogyTurns
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.tables import Job

logger = logging.getLogger(__name__)

CROWD, LEAST_CROWD = 200, 8
"""Models, at most and at least, that get their places together."""


class Placing:
    """Changes of the genealogy that jobs make.

    Parameters
    ----------
    helpers : who solves the families of a large lake side by side

    Attributes
    ----------
    turns : so that no two processes change the same families at once
    """

    def __init__(
        self,
        database: Database,
        lake: Lake,
        job_queue: JobQueue,
        management: ModelManagementSystem,
        helpers: Solvers | None,
    ) -> None:
        self.turns = GenealogyTurns(database)
        self._lake = lake
        self._job_queue = job_queue
        self._management = management
        self._helpers = helpers

    def place(self, job: Job, progress: Progress) -> dict[str, Any]:
        model_id = str(job.model_id)
        self._lake.get(model_id)
        progress(0.1, "finding the family")
        is_new = job.kind == "process" and job.attempts <= 1
        if is_new and not self._is_placed(model_id):
            self._place_crowd(model_id)
        with self.turns.take_for_models([model_id]):
            if is_new and self._is_placed(model_id):
                result = self._management.describe_place(model_id)
            else:
                result = self._management.process_new_model(model_id)
        self._lake.change(model_id, {"status": "ok", "error": None, "processed_at": now()})
        return {key: value for key, value in result.items() if key != "edge"}

    def _is_placed(self, model_id: str) -> bool:
        """Whether a model whose first job this is has a family: a crowd's job was here, of this
        program or of another."""
        return self._lake.get(model_id).row.family_id is not None

    def _place_crowd(self, model_id: str) -> None:
        """Where many wait, as while a folder is imported, give them their places together: the
        family of fifty of them is solved once instead of fifty times. Their own jobs only tell
        what became of them."""
        waiting = [
            model for model in self._job_queue.list_waiting_models(CROWD) if model != model_id
        ]
        if len(waiting) < LEAST_CROWD:
            return
        crowd = [model_id, *waiting]
        with self.turns.take_for_models(crowd):
            # While the turn was waited for, others may have placed them.
            rows = [view.row for view in self._lake.list_by_ids(crowd)]
            crowd = [row.id for row in rows if row.family_id is None]
            try:
                self._management.process_new_models(crowd)
            except Interruption:
                raise
            except Exception:
                # One of them may be at fault: by themselves, the others get their places.
                logger.exception("%d models could not be placed together", len(crowd))
                return
        for model in crowd:
            if model != model_id:
                self._lake.change(model, {"status": "ok", "error": None, "processed_at": now()})

    def rebuild(self, job: Job, progress: Progress) -> dict[str, Any]:
        progress(0.1, "solving the family")
        with self.turns.take_for_family(str(job.family_id)):
            return self._management.rebuild_family_tree(str(job.family_id))

    def recluster(self, job: Job, progress: Progress) -> dict[str, Any]:
        round_ = job.id if job.parameters.get("force") else None
        with self.turns.take_all():
            return self._management.recluster_all_models(
                progress, round_=round_, helpers=self._helpers
            )
