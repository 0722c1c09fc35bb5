from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from benchmarks.zoo import Zoo


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("respond-async", 202),
        ("wait=5, Respond-Async; x=1", 202),
        ("no-respond-async", 201),
        ("return=minimal", 201),
    ],
)
def test_not_to_wait(client: FlaskClient, zoo_family: Zoo, sent: str, status: int) -> None:
    content = zoo_family.path("base").read_bytes()
    answer = client.put("/api/models?name=base", data=content, headers={"Prefer": sent})
    assert answer.status_code == status
    applied = "respond-async" if status == 202 else None
    assert answer.headers.get("Preference-Applied") == applied
