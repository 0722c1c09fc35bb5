"""The OpenAPI document, held against what a real lake answers to random requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from tests.contract import MEMBERS, hold_to_contract
from tests.databases import ON_POSTGRES

CASES = 400 if ON_POSTGRES else 2000
"""What is documented does not depend on the database; on PostgreSQL it is about its answers."""
RARE = {
    # A job that still waits.
    "DELETE /api/jobs/{job_id}",
    # One that failed or was cancelled.
    "POST /api/jobs/{job_id}/retry",
    # Members of the family, but not all of them.
    "POST /api/families/{family_id}/split",
    # A statement about this very model, and one that is a merge.
    "DELETE /api/models/{model_id}/constraints",
    "GET /api/models/{model_id}/merge-recipe",
    # Parts that fit together.
    "POST /api/uploads/complete",
    # Files that are whole, and not there yet: their own tests see to it.
    "POST /api/identify",
    "POST /api/models",
    "PUT /api/models",
    "PATCH /api/uploads/{upload_id}",
    # A statement, an upload or a model that is still there when it is asked for.
    "DELETE /api/constraints/{constraint_id}",
    "DELETE /api/models/{model_id}",
    "DELETE /api/families/{family_id}",
    "DELETE /api/uploads/{upload_id}",
    "PUT /api/models/{model_id}/constraints",
    # A server with another kind of access.
    "POST /api/session",
    "POST /api/session/password",
    "PUT /api/session/password",
    "POST /api/access/setup",
    "DELETE /api/sessions/{session_id}",
    "POST /api/users",
    "GET /api/owners/{owner_id}/deletion",
    "DELETE /api/owners/{owner_id}/models",
    "GET /api/users/{user_id}",
    "PATCH /api/users/{user_id}",
    "DELETE /api/users/{user_id}",
    "POST /api/tokens",
    "GET /api/tokens/{token_id}",
    "DELETE /api/tokens/{token_id}",
    "GET /api/session/tokens",
    "POST /api/session/tokens",
    "DELETE /api/session/tokens/{token_id}",
    # A Neo4j server.
    "POST /api/lineage/neo4j",
}
"""What needs luck, or another server."""


# The runner does not close what it downloads.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_answers_keep_the_contract(
    tmp_path: Path, plain_environment: None, zoo_family: Zoo, strangers: list[Path]
) -> None:
    """No 5xx, nothing undocumented, nothing forbidden accepted, nothing allowed refused."""
    files = [*(zoo_family.path(name) for name in MEMBERS), strangers[0]]
    report = hold_to_contract(files, tmp_path, cases=CASES)
    assert list(report.failures) == [], str(report)
    assert report.cases >= CASES
    # Else the other requests would show little.
    assert ON_POSTGRES or set(report.unreached) <= RARE, str(report)
