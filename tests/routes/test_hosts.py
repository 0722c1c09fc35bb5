"""By which names the server may be asked."""

from __future__ import annotations

import pytest

from tests.served import MakeApp, check_problem

FOREIGN = ["evil.example", "evil.example:5001", "127.0.0.1.evil.example", "localhost.evil.example"]
OWN = ["localhost", "LOCALHOST:5001", "127.0.0.1:5001", "[::1]:5001", "10.0.0.7", "a.localhost."]


@pytest.mark.parametrize("host", FOREIGN)
def test_names_that_lead_here_from_elsewhere(make_app: MakeApp, host: str) -> None:
    """A page of evil.example whose name now leads to this machine: for its browser, the server is
    that page's own, and nothing else than the name tells."""
    client = make_app().test_client()
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for method, path in (("GET", "/api/models"), ("DELETE", "/api/models/m_x"), ("GET", "/")):
        check_problem(client.open(path, method=method, headers=headers), 403, "foreign-host")


@pytest.mark.parametrize("host", OWN)
def test_own_names(make_app: MakeApp, host: str) -> None:
    assert make_app().test_client().get("/api/health", headers={"Host": host}).status_code == 200


def test_names_of_the_settings(make_app: MakeApp) -> None:
    for access in ("open", "token"):
        client = make_app(access=access, allowed_hosts=("lake.example",)).test_client()
        for host, status in (("lake.example", 200), ("Lake.Example:80", 200), ("localhost", 403)):
            answer = client.get("/api/health", headers={"Host": host})
            assert answer.status_code == status, (access, host)


def test_where_everyone_says_who_they_are(make_app: MakeApp) -> None:
    client = make_app(access="token").test_client()
    assert client.get("/api/health", headers={"Host": "lake.example"}).status_code == 200
