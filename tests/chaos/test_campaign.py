"""The short form of ``make chaos``: every kind of death, few of each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.chaos.campaign import Campaign
from tests.chaos.servers import Nursery

KILLS = 20


@pytest.mark.skipif("CHAOS_SHORT" not in os.environ, reason="its own step: make chaos-short")
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with Nursery(tmp_path / "server.log") as nursery:
        # How soon the server answers is for ``make chaos``, where nothing else takes its time.
        campaign = Campaign(
            nursery,
            tmp_path,
            clients=6,
            seed=5,
            longest_life=1.2,
            deep_every=5,
            first_answer=60.0,
        )
        try:
            figures = campaign.run(KILLS)
        except AssertionError:
            print((tmp_path / "server.log").read_text(errors="replace")[-4000:])
            raise
    print(json.dumps(figures, indent=1))
    assert figures["faults"] == []
    assert figures["kills"] == KILLS
    # It has really been used, and really been interrupted.
    assert figures["done"]["stored"] >= 1
    assert figures["kills_at_start"] >= 1
    assert figures["kills_while_migrating"] >= 1
