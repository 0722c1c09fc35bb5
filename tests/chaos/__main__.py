"""``python -m tests.chaos``: the long form; prints its figures as JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

from tests.chaos.campaign import Campaign
from tests.chaos.servers import FreshPython


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so many")
    parser.add_argument("--keep", action="store_true", help="leave the data for a closer look")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="heritage-chaos-"))
    campaign = Campaign(
        FreshPython(folder / "server.log"),
        folder,
        clients=options.clients,
        seed=options.seed,
        longest_life=3.0,
        deep_every=5,
    )
    figures = campaign.run(options.kills, seconds=60 * options.minutes)
    print(json.dumps(figures, indent=1))
    if options.keep or figures["faults"]:
        print(f"everything is in {folder}", file=sys.stderr)
    return 1 if figures["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
