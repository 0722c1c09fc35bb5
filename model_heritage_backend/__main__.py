"""``python -m model_heritage_backend`` and the ``model-heritage`` script."""

from __future__ import annotations

from model_heritage_backend.cli.main import run


def main() -> None:
    run()


if __name__ == "__main__":
    main()
