"""Starts Model Heritage: python run_server.py (settings: README.md)."""

import sys

from model_heritage_backend.server import serve

if __name__ == "__main__":
    sys.exit(serve())
