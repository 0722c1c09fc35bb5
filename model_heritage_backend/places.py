"""Where the program's own files lie, in a checkout of the project or installed from a wheel, and
where a user's files belong.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent
IS_CHECKOUT = (PROJECT / "run_server.py").is_file()
"""Whether the package lies in its project's folder; else it was installed by itself."""
SHIPPED = PACKAGE / "shipped"
"""What a wheel carries of the project's other folders; setup.py puts it there."""
ENGINE = ("weights", "fingerprints", "clustering")
FRONT_END = PROJECT / "model_heritage_frontend"
MIGRATIONS = PROJECT / "migrations" if IS_CHECKOUT else SHIPPED / "migrations"
INTERFACE = FRONT_END / "dist" if IS_CHECKOUT else SHIPPED / "interface"
REPORT = FRONT_END / "dist-report" if IS_CHECKOUT else SHIPPED / "report"
COUNTERS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of the environment: where the processes of one server count; each tells the sums."""


@cache
def stamp_engine() -> str:
    """Changes with every file that decides what a genealogy looks like."""
    digest = hashlib.sha256()
    for room in ENGINE:
        for path in sorted((PACKAGE / room).glob("**/*.py")):
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def find_home(variable: str, otherwise: str) -> Path:
    """The folder of this program below one of the XDG base directories.

    Parameters
    ----------
    variable : name of the environment variable, such as XDG_CACHE_HOME
    otherwise : where the user's home folder has it when the variable is not set
    """
    base = os.environ.get(variable, "")
    # The XDG base directory specification: relative paths are to be ignored.
    place = Path(base) if base and Path(base).is_absolute() else Path.home() / otherwise
    return place / "model-heritage"
