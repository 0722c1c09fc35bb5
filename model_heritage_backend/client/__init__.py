"""A running server, asked from Python.

>>> from model_heritage_backend.client import Client
>>> Client("http://localhost:5001")
<Client: http://localhost:5001>

Everything a server refuses is raised as an error of ``model_heritage_backend.errors``.
"""

from model_heritage_backend.client.client import Client
from model_heritage_backend.client.problems import JobFailed, ServerProblem, UploadInterrupted
from model_heritage_backend.client.records import (
    RemoteFamily,
    RemoteJob,
    RemoteModel,
    RemotePlace,
    RemoteRelative,
)

__all__ = [
    "Client",
    "JobFailed",
    "RemoteFamily",
    "RemoteJob",
    "RemoteModel",
    "RemotePlace",
    "RemoteRelative",
    "ServerProblem",
    "UploadInterrupted",
]
