"""Genealogies as files, and in a graph database beside this one."""

from __future__ import annotations

from datetime import datetime

from model_heritage_backend.errors import NotConfigured, NotFound
from model_heritage_backend.interop.cypher import build_transactions
from model_heritage_backend.interop.export import ExportedFile, write_export
from model_heritage_backend.interop.heritage_document import DocumentModel, StoredFamily
from model_heritage_backend.interop.lineage import Lineage, build_lineage
from model_heritage_backend.interop.merge_recipe import find_dtype, write_merge_recipe
from model_heritage_backend.interop.neo4j_server import Neo4jServer
from model_heritage_backend.models.genealogies import Genealogies, StoredModel


class Exports:
    """
    Parameters
    ----------
    neo4j : None when none is set up
    """

    def __init__(self, genealogies: Genealogies, neo4j: Neo4jServer | None) -> None:
        self._genealogies = genealogies
        self._neo4j = neo4j

    def write(
        self, *, format: str, family_id: str | None = None, model_id: str | None = None
    ) -> ExportedFile:
        """A family, the line of a model (its ancestors, its descendants and itself), or all.

        Raises
        ------
        NotFound
            When there is no such family or model.
        InvalidRequest
            When the format is of one model, and none is named.
        """
        return write_export(self._load(family_id=family_id, model_id=model_id), format)

    def write_merge_recipe(self, model_id: str) -> str:
        """How a merge was made, for mergekit.

        Raises
        ------
        NotFound
            When there is no such model, or it is not known to be a merge.
        """
        lineage = self._load(model_id=model_id)
        if not lineage.trees:
            raise NotFound(f"{lineage.names[model_id]!r} is not known to be a merge.")
        dtype = find_dtype(lineage.dtypes[model_id])
        return write_merge_recipe(lineage.trees[0], model_id, lineage.names, dtype=dtype)

    def push_to_neo4j(self, *, family_id: str | None = None) -> dict[str, int]:
        """Bring the graph database up to date with a family, or with all; what was pushed.

        Raises
        ------
        NotConfigured
            When no Neo4j server is set up.
        NotFound
            When there is no such family.
        ServerUnreachable
            When the server does not answer or refuses.
        """
        if self._neo4j is None:
            raise NotConfigured(
                "No Neo4j server is set up: give the settings neo4j_url and neo4j_password."
            )
        lineage = self._load(family_id=family_id)
        self._neo4j.push(build_transactions(lineage))
        document = lineage.document
        return {
            "families": len(document["families"]),
            "models": sum(model["family"] is not None for model in document["models"]),
            "edges": len(document["edges"]),
        }

    def _load(self, *, family_id: str | None = None, model_id: str | None = None) -> Lineage:
        found = self._genealogies.load(family_id=family_id, model_id=model_id)
        return build_lineage(
            [_describe(model) for model in found.models],
            [
                (StoredFamily(id=f.id, updated_at=_write_time(found.updated_at[f.id])), f.tree)
                for f in found.families
            ],
            dtypes={model.id: model.dtypes for model in found.models},
            subject=model_id,
            whole_lake=family_id is None and model_id is None,
        )


def _write_time(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _describe(model: StoredModel) -> DocumentModel:
    return DocumentModel(
        id=model.id,
        path=model.name,
        checksum=model.checksum,
        total_parameters=model.total_parameters,
        quality=model.quality,
        licence=model.licence,
    )
