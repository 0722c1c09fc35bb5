from __future__ import annotations

import re

from flask.testing import FlaskClient


def test_every_answer_has_its_own_id(client: FlaskClient) -> None:
    answers = [client.get("/api/health"), client.get("/api/nothing"), client.get("/")]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    # Without this, the page's file would stay open.
    answers[-1].close()
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)
