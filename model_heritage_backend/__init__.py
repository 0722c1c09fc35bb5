"""Model Heritage: the genealogy of neural networks, recovered from their weights."""

__version__ = "0.1.0"
