from __future__ import annotations

import pytest

from model_heritage_backend.errors import TooManyChanges
from model_heritage_backend.services.pace import Pace
from tests.routes.signing import bear, make_token
from tests.served import MakeApp, check_problem


def test_each_sender_has_its_own_number() -> None:
    time = [0.0]
    pace = Pace(2, clock=lambda: time[0])
    for token in ("a", "a", "b"):
        pace.count(token)
    with pytest.raises(TooManyChanges) as caught:
        pace.count("a")
    assert caught.value.retry_after == 60
    time[0] = 59.5
    with pytest.raises(TooManyChanges):
        # One name of two is enough, and the refused one counts for neither.
        pace.count("a", "b")
    pace.count("b")
    time[0] = 60.0
    pace.count("a")


def test_none_means_any_number() -> None:
    pace = Pace(0)
    for _ in range(1000):
        pace.count("a")


def test_changes_are_counted_and_questions_are_not(make_app: MakeApp) -> None:
    app = make_app(access="token", changes_per_minute=3)
    client, token, other = app.test_client(), bear(make_token(app)), bear(make_token(app))
    for _ in range(10):
        assert client.get("/api/stats", headers=token).status_code == 200
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    for _ in range(3):
        assert client.delete("/api/models/m_x", headers=token).status_code == 404
    # By the token, from wherever; and from the address, with whatever token.
    for headers, base in ((token, {}), (token, elsewhere), (other, {})):
        answer = client.delete("/api/models/m_x", headers=headers, environ_base=base)
        check_problem(answer, 429, "too-many-changes")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
    answer = client.delete("/api/models/m_x", headers=other, environ_base=elsewhere)
    assert answer.status_code == 404
    assert client.patch("/api/uploads/x", headers=token).status_code == 412
