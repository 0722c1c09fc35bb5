"""The application without HTTP: uploads, changes, jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model_heritage_backend.clustering import FamilyRecord
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.interop.neo4j_server import Neo4jServer
from model_heritage_backend.jobs.executor import Executor, JobExecutor, merge_time_limits
from model_heritage_backend.jobs.redis_queue import RedisExecutor
from model_heritage_backend.jobs.run import Progress
from model_heritage_backend.models.audit import AuditLog
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.facets import FacetCounter
from model_heritage_backend.models.families import Families
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.genealogies import Genealogies
from model_heritage_backend.models.job_list import JobList
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.leftovers import Leftovers
from model_heritage_backend.models.locks import SharedLock
from model_heritage_backend.models.model_views import ModelView
from model_heritage_backend.models.receptions import Receptions
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import Job
from model_heritage_backend.services.access import AccessService
from model_heritage_backend.services.accounts import AccountService
from model_heritage_backend.services.admission import Admission, AdmissionRules
from model_heritage_backend.services.claims import ClaimService, check_claims
from model_heritage_backend.services.consequences import Consequences
from model_heritage_backend.services.corrections import CorrectionService
from model_heritage_backend.services.deletion import DeletionService
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.services.exports import Exports
from model_heritage_backend.services.family_history import FamilyHistory
from model_heritage_backend.services.figures import Figures
from model_heritage_backend.services.imports import Imports
from model_heritage_backend.services.intake import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    Intake,
    ends_in_time,
)
from model_heritage_backend.services.jobs import Jobs
from model_heritage_backend.services.lake_statistics import LakeStatistics
from model_heritage_backend.services.maintenance import Maintenance
from model_heritage_backend.services.metrics import Metrics
from model_heritage_backend.services.observed_work import observe_work
from model_heritage_backend.services.placing import Placing
from model_heritage_backend.services.quotas import NO_QUOTA, Quota, Quotas
from model_heritage_backend.services.readiness import Readiness
from model_heritage_backend.services.resumable import ResumableUploads
from model_heritage_backend.services.sessions import SessionService
from model_heritage_backend.services.solving_crew import SolvingCrew, Workplace
from model_heritage_backend.services.texts import check_text
from model_heritage_backend.services.upkeep import Plan, Upkeep
from model_heritage_backend.services.upkeep_figures import UpkeepFigures

logger = logging.getLogger(__name__)

MISSING_TOLD = 20
"""Missing files that a start names one by one."""
USUAL_ENGINE = EngineOptions()
EVERYONE = AdmissionRules()


class HeritageService:
    """The application without HTTP.

    Parameters
    ----------
    database, files : where everything is kept
    fingerprint_cache_bytes : memory for fingerprints in use
    synchronous_seconds : how long an upload waits for its place in the tree
    neo4j : where genealogies may be pushed
    job_seconds : time limits of jobs by kind, where they differ from the executor's
    upload_expiry_hours, max_unfinished_bytes : limits of unfinished resumable uploads
    import_roots : folders from below which models may be imported
    keep_jobs_days : how long a clean-up leaves records of jobs
    engine : how families and trees are found
    rules : which models are let in
    upkeep : what the server does for its data by itself
    quota, quota_per_owner : how much is kept in all, and of each owner
    redis_url : where workers get their jobs; without it, this process does them
    is_worker : whether this is such a worker
    solver_processes : that a reclustering of many models may begin
    """

    def __init__(
        self,
        database: Database,
        files: FileStore,
        *,
        fingerprint_cache_bytes: int,
        synchronous_seconds: float,
        upload_expiry_hours: float,
        max_unfinished_bytes: int,
        neo4j: Neo4jServer | None = None,
        job_seconds: Mapping[str, float] | None = None,
        import_roots: Sequence[Path] = (),
        keep_jobs_days: float = 90.0,
        engine: EngineOptions = USUAL_ENGINE,
        rules: AdmissionRules = EVERYONE,
        upkeep: Plan | None = None,
        quota: Quota = NO_QUOTA,
        quota_per_owner: Quota = NO_QUOTA,
        redis_url: str | None = None,
        is_worker: bool = False,
        solver_processes: int = 1,
    ) -> None:
        self._is_worker = is_worker
        self._database = database
        if database.is_shared:
            files.commit_lock = SharedLock(lambda: database.hold(alone=["files"]))
        self.files = files
        self.sound_files = SoundFiles(files)
        self.lake = Lake(database)
        self.families = Families(database)
        self.access = AccessService(database)
        self.accounts = AccountService(database)
        self.sessions = SessionService(database, self.access, self.accounts)
        self.audit = AuditLog(database)
        self.quotas = Quotas(database, total=quota, each=quota_per_owner)
        self.claims = ClaimService(database)
        self.facets = FacetCounter(database)
        self.statistics = LakeStatistics(database)
        self.consequences = Consequences(database)
        self.job_queue = JobQueue(database)
        self.exports = Exports(Genealogies(database), neo4j)
        self.store = SqlStore(database, files, cache_bytes=fingerprint_cache_bytes)
        self.metrics = Metrics()
        self.management = engine.build(self.store, self.metrics.watch)
        self._placing = Placing(
            database,
            self.lake,
            self.job_queue,
            self.management,
            self._hire(engine, solver_processes),
        )
        self._executor = self._choose_executor(redis_url, merge_time_limits(job_seconds))
        self.readiness = Readiness(database, files, self._executor)
        self.metrics.add_figures(Figures(database, files, self.readiness).read)
        self.jobs = Jobs(JobList(database), self.job_queue, self._executor)
        self.intake = Intake(
            self.lake,
            files,
            self.sound_files,
            self.management,
            self._executor,
            admission=Admission(rules, self.store, self._find_families),
            quotas=self.quotas,
            metrics=self.metrics,
            synchronous_seconds=synchronous_seconds,
        )
        self.imports = Imports(
            import_roots, files, self.lake, self.job_queue, self._executor, self.intake.upload
        )
        self.maintenance = Maintenance(
            Leftovers(database, files),
            self.job_queue,
            self._executor,
            keep_jobs_days=keep_jobs_days,
        )
        self.deletion = DeletionService(
            database,
            files,
            self.sound_files,
            self.lake,
            self.store,
            self.management,
            self.job_queue,
            self._executor,
        )
        self._handlers: dict[str, Callable[[Job, Progress], dict[str, Any]]] = {
            "process": self._placing.place,
            "reprocess": self._placing.place,
            "rebuild": self._placing.rebuild,
            "recluster": self._placing.recluster,
            "import": self.imports.work,
            "cleanup": self.maintenance.work,
            "delete": self._delete_many,
        }
        self.corrections = CorrectionService(
            self.store, self.families, self.management, self._executor
        )
        self.history = FamilyHistory(database)
        self._seconds = synchronous_seconds
        receptions = Receptions(
            files, expiry=timedelta(hours=upload_expiry_hours), max_bytes=max_unfinished_bytes
        )
        self.resumable = ResumableUploads(
            self.intake, receptions, files=files, lake=self.lake, quotas=self.quotas
        )
        self.upkeep = Upkeep(
            files.data_dir,
            upkeep or Plan(),
            sound_files=self.sound_files,
            blobs=files.blobs,
            list_checksums=self.lake.list_checksums,
            clean_up=self.maintenance.start_if_due,
        )
        self.metrics.add_figures(UpkeepFigures(self.upkeep).read)
        self.maintenance.add_step("removing expired uploads", self.resumable.remove_expired)

    def _hire(self, engine: EngineOptions, processes: int) -> SolvingCrew | None:
        if processes == 1:
            return None
        workplace = Workplace.find(self._database, self.files, engine)
        return SolvingCrew(workplace, processes=processes, watch=self.metrics.watch)

    def _choose_executor(self, redis_url: str | None, time_limits: Mapping[str, float]) -> Executor:
        guard = self._placing.turns.take_all
        if redis_url is not None and not self._is_worker:
            return RedisExecutor(self.job_queue, redis_url, guard=guard, time_limits=time_limits)
        return JobExecutor(
            self.job_queue,
            observe_work(self._work, self.metrics),
            time_limits=time_limits,
            shared=self._database.is_shared,
            is_fed=self._is_worker,
            guard=guard,
        )

    def work(self, redis_url: str, queues: Sequence[str], *, burst: bool) -> None:
        """Do jobs that Redis brings, until told to stop, or (``burst``) until none waits.

        Raises
        ------
        redis.exceptions.ConnectionError
            When there is no Redis at the address to begin with.
        """
        from model_heritage_backend.jobs.redis_worker import work_on

        if not isinstance(self._executor, JobExecutor):
            raise InvalidRequest("This process sends its jobs to workers; it is none.")
        work_on(redis_url, queues, self._executor, burst=burst)

    def start(self) -> None:
        """Clear away what unfinished uploads left, and go on with unfinished work."""
        if self._is_worker:
            self._share_folder()
            self._executor.start()
            return
        self.resumable.load()
        known = self.lake.list_checksums()
        # Others may be receiving files here.
        removed = self.files.sweep(self.lake.has_checksum) if self.files.is_alone else 0
        if removed:
            logger.info("removed %d files of uploads that were never acknowledged", removed)
        self.files.ballast.lay()
        missing = self.files.list_missing(known)
        for checksum in missing[:MISSING_TOLD]:
            logger.error("the file %s is missing", checksum)
        if len(missing) > MISSING_TOLD:
            logger.error("%d files are missing in all", len(missing))
        self.claims.read_files()
        filled = self.store.fill_routes()
        if filled:
            logger.info("made routes of %d models that were stored without", filled)
        self._share_folder()
        self._executor.start()
        self.resumable.start()
        self.upkeep.start()

    def hold_address(self, path: str) -> AbstractContextManager[None]:
        """Against other processes that would change what is at an address of the API."""
        return self._database.hold(alone=[f"address {path}"])

    def _share_folder(self) -> None:
        if self._database.is_shared:
            self.files.share()

    def stop(self) -> None:
        self.upkeep.stop()
        self.resumable.stop()
        self._executor.stop()
        self._database.close()

    # Models ------------------------------------------------------------------------------------

    def reprocess(self, model_id: str) -> tuple[str, bool]:
        """Place the model again: (job id, whether that ended in time)."""
        self.lake.get(model_id)
        job_id = self.job_queue.add("reprocess", model_id=model_id)
        return job_id, ends_in_time(self._executor.submit(job_id), self._seconds)

    def edit(
        self,
        model_id: str,
        *,
        name: str | None,
        description: str | None,
        said: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        values: dict[str, Any] = {}
        said = check_claims(said)
        if name is not None:
            values["name"] = check_text("name", name, NAME_LENGTH)
            if not values["name"]:
                raise InvalidRequest("The model needs a name.")
            values["name_folded"] = fold(values["name"])
        if description is not None:
            values["description"] = check_text(
                "description", description, DESCRIPTION_LENGTH, lines=True
            )
        self.lake.change(model_id, values)
        if said:
            self.claims.change(model_id, said)

    def _find_families(self, fingerprint: Fingerprint) -> tuple[str, ...]:
        with self._executor.paused():
            return self.management.find_families(fingerprint).family_ids

    # Families ------------------------------------------------------------------------------------

    def rebuild(self, family_id: str) -> tuple[str, dict[str, Any] | None]:
        """Solve a family again: (job id, result, or None when that takes longer)."""
        self.families.get(family_id)
        job_id = self.job_queue.add("rebuild", family_id=family_id)
        outcome = self._executor.submit(job_id)
        try:
            return job_id, outcome.result(self._seconds)
        except TimeoutError:
            return job_id, None

    def recluster(self, *, force: bool = False) -> str:
        """Find all families anew, in the background; gives the job's id.

        ``force``: solve also those that were solved from just what they are made of now.
        """
        job_id, new = self.job_queue.add_once("recluster", {"force": True} if force else None)
        if new:
            self._executor.submit(job_id)
        return job_id

    def get_tree(self, family_id: str) -> tuple[FamilyRecord, list[ModelView]]:
        family = self.store.get_family(family_id)
        return family, self.lake.list_by_ids(family.tree.members)

    # Work --------------------------------------------------------------------------------------

    def _work(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Do one job; called by the executor's threads alone."""
        return self._handlers[job.kind](job, progress)

    def _delete_many(self, job: Job, progress: Progress) -> dict[str, Any]:
        with self._placing.turns.take_all():
            return self.deletion.work(job, progress)
