"""What a wheel needs (the rest is in pyproject.toml): the requirements, parted by who needs them,
and the files of the project's other folders that the package serves.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = Path(__file__).resolve().parent
SHIPPED = {
    "migrations": PROJECT / "migrations",
    "interface": PROJECT / "model_heritage_frontend" / "dist",
    "report": PROJECT / "model_heritage_frontend" / "dist-report",
}
"""Name below model_heritage_backend/shipped -> folder. Without Node nothing of the interface was
built: commands and API work, and the server's page says what is missing. ``make wheel`` builds it.
"""
CORE = {
    "numpy", "scipy", "llvmlite", "numba", "scikit-learn", "networkx", "xxhash", "threadpoolctl",
    "pyyaml", "requests", "urllib3", "typer", "rich",
}  # fmt: skip
"""What every command and the Python interface need."""
TRAINING = {"torch", "safetensors"}
"""For the demonstration family; PyTorch's files are read without."""
EXTRAS = {
    "notebook": ("pandas", "matplotlib"),
    "neo4j": ("neo4j",),
    "postgres": ("psycopg",),
    "redis": ("rq", "redis"),
    "s3": ("fsspec", "s3fs"),
    "remote": ("fsspec",),
}
"""Extras of packages that requirements-dev.txt has for the tests."""


class BuildWithFiles(build_py):
    """``shipped`` beside the package's own files."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "model_heritage_backend" / "shipped"
        # Files of an earlier build would stay for ever.
        shutil.rmtree(target, ignore_errors=True)
        for name, folder in SHIPPED.items():
            if folder.is_dir():
                shutil.copytree(folder, target / name, ignore=shutil.ignore_patterns("__pycache__"))


def read_requirements(name: str) -> dict[str, str]:
    """Package -> the line that asks for it."""
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]
    return {re.split(r"[^\w.-]", line)[0].lower(): line for line in wanted}


running, developing = (
    read_requirements("requirements.txt"),
    read_requirements("requirements-dev.txt"),
)
setup(
    cmdclass={"build_py": BuildWithFiles},
    install_requires=[line for name, line in running.items() if name in CORE],
    extras_require={
        "server": [line for name, line in running.items() if name not in CORE | TRAINING],
        "torch": [line for name, line in running.items() if name in TRAINING],
        **{extra: [developing[name] for name in names] for extra, names in EXTRAS.items()},
        "gcs": [developing["fsspec"], "gcsfs>=2025.3"],
        "dev": [*running.values(), *developing.values()],
    },
)
