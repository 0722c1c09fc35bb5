"""One server, as an object: what can be asked of it, and what can be given to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import networkx as nx

from model_heritage_backend.client.bodies import Form, Progress
from model_heritage_backend.client.jobs import JobClient, address
from model_heritage_backend.client.records import (
    RemoteFamily,
    RemoteJob,
    RemoteModel,
    RemotePlace,
    RemoteRelative,
)
from model_heritage_backend.client.transport import Transport
from model_heritage_backend.client.uploads import send_file, send_parts
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.weights import list_parts

BLOCK = 1 << 20
EDGE_MEMBERS = ("relation", "confidence", "distance", "main", "coefficient")


class Client(JobClient):
    """A running server.

    Every method raises the errors of ``model_heritage_backend.errors`` as the server tells them,
    and ``ServerUnreachable`` when nobody answers.

    Parameters
    ----------
    url : such as ``http://localhost:5001``
    token : sent with every request, for servers that ask for one

    Examples
    --------
    >>> with Client(server) as client:
    ...     base = client.upload(models / "base.safetensors")
    ...     tuned = client.upload(models / "tuned.safetensors", licence="mit")
    ...     print(tuned.name, "is", tuned.relation, "of", client.get_model(tuned.parent_id).name)
    tuned is adapter of base
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__(Transport(url, token))

    def __repr__(self) -> str:
        return f"<Client: {self._transport.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections.

        Examples
        --------
        >>> client = Client(server)
        >>> client.close()
        """
        self._transport.close()

    # Models -------------------------------------------------------------------------------------

    def list_models(
        self,
        *,
        search: str | None = None,
        sort: str = "name",
        family: str | None = None,
        relation: str | None = None,
        licence: str | None = None,
        tags: Sequence[str] = (),
        conflict: bool | None = None,
    ) -> Iterator[RemoteModel]:
        """Every model that fits, page by page; the filters are those of ``GET /api/models``.

        Examples
        --------
        >>> [model.name for model in client.list_models(search="TUN")]
        ['tuned']
        """
        params = {
            "search": search,
            "sort": sort,
            "family": family,
            "relation": relation,
            "licence": licence,
            "tag": list(tags),
            "conflict": None if conflict is None else str(conflict).lower(),
        }
        return map(RemoteModel.of, self._list("/models", "models", params))

    def get_model(self, model_id: str) -> RemoteModel:
        """One model, by its id. Raises NotFound.

        Examples
        --------
        >>> client.get_model(tuned.id).relation
        'adapter'
        """
        return RemoteModel.of(self._transport.ask("GET", address("models", model_id)))

    def find_model(self, name: str) -> RemoteModel | None:
        """The one model of exactly this name; None without any. Raises InvalidRequest for several.

        Examples
        --------
        >>> client.find_model("tuned") == client.get_model(tuned.id)
        True
        """
        found = [model for model in self.list_models(search=name) if model.name == name]
        if len(found) > 1:
            raise InvalidRequest(f"{len(found)} models are called {name!r}: give an id.")
        return found[0] if found else None

    def upload(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        description: str | None = None,
        licence: str | None = None,
        task: str | None = None,
        tags: Sequence[str] = (),
        base_model: str | None = None,
        resume: str | None = None,
        wait: bool = True,
        progress: Progress | None = None,
    ) -> RemoteModel:
        """Send a checkpoint, or the folder of a model's parts; gives it with its place.

        Files of 64 MiB and more go in pieces and survive a lost connection.

        Parameters
        ----------
        name : its file's name without the ending, when not given
        licence, task, tags, base_model : what people say of it; shown, never believed
        resume : the ``upload_id`` of an ``UploadInterrupted``, to go on with that upload
        wait : until its place is found; else the model may still have the status "processing"
        progress : called with the bytes that were sent, and how many there are

        Raises
        ------
        DuplicateModel
            The same bytes are there; ``extra["existing_id"]`` says as which model.
        UnsupportedFormat, InvalidWeights
            It is no checkpoint, or a broken one; nothing of it is kept.
        UploadInterrupted
            The connection was lost; ``extra["upload_id"]`` lets it go on.
        JobFailed
            The model is stored, but its place could not be found.

        Examples
        --------
        >>> client.upload(models / "base.safetensors")
        Traceback (most recent call last):
            ...
        model_heritage_backend.errors.DuplicateModel: The same file is stored as 'base'.
        """
        source = _check_path(path)
        given = {
            "name": name,
            "description": description,
            "licence": licence,
            "task": task,
            "tags": ",".join(tags) or None,
            "base_model": base_model,
        }
        fields = [(key, value) for key, value in given.items() if value is not None]
        if source.is_dir():
            sent = send_parts(self._transport, list_parts(source), fields, progress)
        else:
            sent = send_file(self._transport, source, fields, progress, upload_id=resume)
        if wait and sent.job_id is not None:
            self.wait_for_job(sent.job_id)
        return self.get_model(sent.model_id)

    def download(self, model_id: str, path: str | os.PathLike[str]) -> Path:
        """Write the original bytes of a model to a file, whole or not at all; gives its path.

        Examples
        --------
        >>> client.download(base.id, "again.safetensors").name
        'again.safetensors'
        """
        target = Path(path).expanduser()
        response = self._transport.send("GET", address("models", model_id, "download"), stream=True)
        with response, tempfile.TemporaryDirectory(dir=target.parent) as folder:
            part = Path(folder) / "part"
            with part.open("wb") as file:
                for block in response.iter_content(BLOCK):
                    file.write(block)
            part.replace(target)
        return target

    def delete_model(self, model_id: str) -> None:
        """Remove a model; its family is solved again without it.

        Examples
        --------
        >>> mistaken = client.upload(models / "half.safetensors")
        >>> client.delete_model(mistaken.id)
        """
        self._transport.send("DELETE", address("models", model_id))

    def weigh_deletion(
        self, *, model: str | None = None, family: str | None = None, owner: str | None = None
    ) -> dict[str, Any]:
        """What deleting a model, a family or all that somebody brought would do; one of the three.

        Examples
        --------
        >>> told = client.weigh_deletion(model=base.id)
        >>> told["models"], [child["name"] for child in told["children"]]
        (1, ['tuned'])
        """
        given = {"models": model, "families": family, "owners": owner}
        ((kind, id_),) = [(kind, id_) for kind, id_ in given.items() if id_ is not None]
        return self._transport.ask("GET", address(kind, id_, "deletion"))

    def delete_family(self, family_id: str) -> RemoteJob:
        """Remove all models of a family; ``wait_for_job`` tells when it is done. Raises NotFound.

        Examples
        --------
        >>> client.delete_family("f_5f0c2b7d9a3e")
        Traceback (most recent call last):
        model_heritage_backend.errors.NotFound: There is no family 'f_5f0c2b7d9a3e'.
        """
        return self.get_job(self._transport.ask("DELETE", address("families", family_id))["job_id"])

    def delete_models_of(self, owner_id: str) -> RemoteJob:
        """Remove all that a user, or a token without a user, brought. Raises NotFound.

        Examples
        --------
        >>> client.delete_models_of("u_5f0c2b7d9a3e")
        Traceback (most recent call last):
        model_heritage_backend.errors.NotFound: Nobody of the id 'u_5f0c2b7d9a3e' has models here.
        """
        path = address("owners", owner_id, "models")
        return self.get_job(self._transport.ask("DELETE", path)["job_id"])

    def lineage(self, model_id: str) -> list[RemoteRelative]:
        """The main line from the root down to a model, which comes last; each with the relation
        to, and the confidence in, the one before it.

        Examples
        --------
        >>> [model.name for model in client.lineage(tuned.id)]
        ['base', 'tuned']
        """
        answer = self._transport.ask("GET", address("models", model_id, "lineage"))
        edge = answer["parent"] or {}
        own = {**edge, "id": model_id, "name": self.get_model(model_id).name}
        return list(map(RemoteRelative.of, [*reversed(answer["ancestors"]), own]))

    def compare(self, model_id: str, other_id: str) -> dict[str, Any]:
        """What differs between two models, tensor by tensor; as ``Heritage.compare``.

        Examples
        --------
        >>> client.compare(base.id, tuned.id)["kinship"]["kind"]
        'child'
        """
        return self._transport.ask("GET", address("models", model_id, "compare", other_id))

    def licence(self, model_id: str) -> dict[str, Any]:
        """What the licences of a model's ancestors ask of it, and which models inherit its own; as
        ``GET /api/models/{id}/licence``. No legal advice.

        Examples
        --------
        >>> client.licence(tuned.id)["restrictions"]
        ['attribution']
        """
        return self._transport.ask("GET", address("models", model_id, "licence"))

    def impact(self, model_id: str) -> dict[str, Any]:
        """Which models are reached should this one be flawed, by how sure that is; as
        ``GET /api/models/{id}/impact``.

        Examples
        --------
        >>> [reached["name"] for reached in client.impact(base.id)["sure"]]
        ['tuned']
        """
        return self._transport.ask("GET", address("models", model_id, "impact"))

    def identify(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None
    ) -> RemotePlace:
        """Where a checkpoint, or the folder of a model's parts, would belong; nothing is kept.

        Examples
        --------
        >>> client.identify(models / "tuned.safetensors").existing_id == tuned.id
        True
        """
        form = Form(list_parts(_check_path(path)), progress=progress)
        headers = {"Content-Type": form.content_type}
        return RemotePlace.of(self._transport.ask("POST", "/identify", data=form, headers=headers))

    # Families -----------------------------------------------------------------------------------

    def list_families(self) -> Iterator[RemoteFamily]:
        """Every family, the largest first; a model without relatives is one by itself.

        Examples
        --------
        >>> [(family.name, family.size) for family in client.list_families()]
        [('Family of base', 2)]
        """
        return map(RemoteFamily.of, self._list("/families", "families", {"sort": "-size"}))

    def get_family(self, family_id: str) -> RemoteFamily:
        """One family, by its id. Raises NotFound.

        Examples
        --------
        >>> client.get_family(tuned.family_id).root_id == base.id
        True
        """
        return RemoteFamily.of(self._transport.ask("GET", address("families", family_id)))

    def tree(self, family_id: str) -> nx.DiGraph[str]:
        """A family as a graph from parents to children, by ids, with the attributes of
        ``Heritage.tree``; nodes have ``name`` instead of a path.

        Examples
        --------
        >>> graph = client.tree(base.family_id)
        >>> [(graph.nodes[a]["name"], graph.nodes[b]["name"]) for a, b in graph.edges]
        [('base', 'tuned')]
        """
        answer = self._transport.ask("GET", address("families", family_id, "tree"))
        graph: nx.DiGraph[str] = nx.DiGraph()
        for node in answer["nodes"]:
            graph.add_node(
                node["id"],
                name=node["name"],
                family=family_id,
                total_parameters=node["total_parameters"],
            )
        for edge in answer["edges"]:
            members = {member: edge[member] for member in EDGE_MEMBERS}
            graph.add_edge(edge["parent"], edge["child"], **members)
        return graph

    def export(
        self, format: str = "json", *, family: str | None = None, model: str | None = None
    ) -> str:
        """The lake, a family or a model's line as text, in one of the formats of docs/api.md.

        Examples
        --------
        >>> print(client.export("newick"), end="")  # doctest: +ELLIPSIS
        [&R] ('tuned':...)'base';
        """
        params = {"format": format, "family": family, "model": model}
        response = self._transport.send("GET", "/lineage/export", params=params)
        return response.content.decode("utf-8")


def _check_path(path: str | os.PathLike[str]) -> Path:
    found = Path(path).expanduser()
    if not found.exists():
        raise NotFound(f"There is no file {found}.")
    return found
