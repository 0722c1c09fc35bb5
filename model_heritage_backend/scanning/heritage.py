"""The Python interface: a folder of checkpoints in, its genealogy out, without a server.

In the examples ``models`` is a folder with three checkpoints: ``base``, ``tuned`` (a low-rank
adapter merged into base) and ``half`` (tuned in half precision).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.interop.heritage_document import SCHEMA_NAME, write_document
from model_heritage_backend.scanning.discovery import FoundFile, find_checkpoints
from model_heritage_backend.scanning.extras import require
from model_heritage_backend.scanning.forms import build_graph, write_html
from model_heritage_backend.scanning.member import HeritageModel
from model_heritage_backend.scanning.one_file import open_cache, read_one
from model_heritage_backend.scanning.placing import Place, compare_files, place_file
from model_heritage_backend.scanning.reading import PASSES, Reading, read_files
from model_heritage_backend.scanning.solving import solve

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from matplotlib.axes import Axes

SHORTEST_CHECKSUM = 8
READING_SHARE = 0.8
"""Of the whole progress; solving takes the rest."""

Progress = Callable[[float, str], None]
"""Called with the share done, in [0, 1], and a word on the present stage."""


class Heritage(Mapping[str, HeritageModel]):
    """The genealogy of a folder: a mapping from ids, in the order of the models' paths.

    Models may also be asked for by path, file name, or the beginning of their checksum.

    Attributes
    ----------
    document : the whole as a ``model-heritage/1`` document

    Examples
    --------
    >>> heritage = scan(models)
    >>> heritage
    <Heritage: 3 models, 1 families, 0 unreadable files>
    >>> child = heritage["half"]  # by name, path, id or the beginning of its checksum
    >>> print(child.relation, "of", heritage[child.parent].name)
    cast of tuned
    """

    def __init__(
        self, document: Mapping[str, Any], reading: Reading | None = None, *, exact: bool = True
    ) -> None:
        if document.get("schema") != SCHEMA_NAME:
            raise InvalidRequest(f"This is not a heritage document of schema {SCHEMA_NAME}.")
        self.document = document
        self._reading = reading
        self._exact = exact
        main = {edge["child"]: edge for edge in document["edges"] if edge["main"]}
        self._models = {
            model["id"]: HeritageModel(
                id=model["id"],
                path=model["path"],
                checksum=model["checksum"],
                family=model["family"],
                total_parameters=model["total_parameters"],
                quality=tuple(model.get("quality", ())),
                parent=main[model["id"]]["parent"] if model["id"] in main else None,
                relation=main[model["id"]]["relation"] if model["id"] in main else None,
                confidence=main[model["id"]]["confidence"] if model["id"] in main else None,
            )
            for model in document["models"]
        }

    # A mapping ----------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> HeritageModel:
        if name in self._models:
            return self._models[name]
        fitting = [
            model
            for model in self._models.values()
            if name in (model.path, PurePosixPath(model.path).name, model.name)
            or (len(name) >= SHORTEST_CHECKSUM and model.checksum.startswith(name.lower()))
        ]
        if len(fitting) != 1:
            raise KeyError(name)
        return fitting[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __repr__(self) -> str:
        return (
            f"<Heritage: {len(self)} models, {len(self.families)} families, "
            f"{len(self.document['errors'])} unreadable files>"
        )

    # Asking ---------------------------------------------------------------------------------------

    @property
    def models(self) -> list[HeritageModel]:
        """Every model, in the order of their paths.

        Examples
        --------
        >>> [model.name for model in heritage.models]
        ['base', 'half', 'tuned']
        """
        return list(self._models.values())

    @property
    def families(self) -> list[dict[str, Any]]:
        """Families of two or more, largest first: ``id``, ``root``, ``size``, ...

        Examples
        --------
        >>> [(family["id"], family["size"]) for family in heritage.families]
        [('F1', 3)]
        """
        return [family for family in self.document["families"] if family["size"] > 1]

    @property
    def errors(self) -> list[dict[str, str]]:
        """Files that could not be read: ``path``, ``type`` and ``detail``, a sentence.

        Examples
        --------
        >>> heritage.errors
        []
        """
        return list(self.document["errors"])

    def lineage(self, name: str) -> list[HeritageModel]:
        """The main line from the root, or from the first model whose parent is not known, down to
        a model, which comes last. Raises KeyError.

        Examples
        --------
        >>> " -> ".join(model.name for model in heritage.lineage("half"))
        'base -> tuned -> half'
        """
        line = [self[name]]
        while (parent := line[-1].parent) is not None:
            line.append(self._models[parent])
        return line[::-1]

    def tree(self, family: str | None = None) -> nx.DiGraph[str]:
        """A family, or everything, as a graph from parents to children.

        Nodes have ``path``, ``family`` and ``total_parameters``; edges ``relation``,
        ``confidence``, ``distance``, ``main`` and ``coefficient`` (of a merge, else None).

        Raises
        ------
        NotFound
            When there is no such family.

        Examples
        --------
        >>> graph = heritage.tree("F1")
        >>> len(graph), graph.out_degree(heritage["base"].id)
        (3, 1)
        >>> graph.edges[heritage["tuned"].id, heritage["half"].id]["relation"]
        'cast'
        """
        if family is not None and family not in {f["id"] for f in self.document["families"]}:
            raise NotFound(f"There is no family {family!r}.")
        models = [m for m in self._models.values() if family in (None, m.family)]
        return build_graph(models, self.document["edges"])

    def to_pandas(self) -> pd.DataFrame:
        """One row per model, indexed by id; needs pandas.

        Examples
        --------
        >>> table = heritage.to_pandas()
        >>> table[["path", "relation"]].values.tolist()[1:]
        [['half.safetensors', 'cast'], ['tuned.safetensors', 'adapter']]
        """
        require("pandas")
        import pandas as pd

        rows = [
            {
                "path": model.path,
                "family": model.family,
                "parent": model.parent,
                "relation": model.relation,
                "confidence": model.confidence,
                "total_parameters": model.total_parameters,
                "checksum": model.checksum,
            }
            for model in self._models.values()
        ]
        return pd.DataFrame(rows, index=pd.Index(self._models, name="id"))

    def identify(self, path: str | os.PathLike[str]) -> Place:
        """Where another file belongs among these models; nothing is kept.

        Raises
        ------
        InvalidRequest
            When this genealogy was loaded from a document, which has no fingerprints.
        HeritageError
            When the file cannot be read.

        Examples
        --------
        >>> heritage.identify(models / "half.safetensors")
        <Place: found, cast of tuned.safetensors, 99 % sure>
        """
        known = self._get_reading()
        with open_cache(use_cache=True) as cache:
            file, fingerprint = read_one(Path(path).expanduser(), cache)
            return place_file(file, fingerprint, known, cache, exact=self._exact)

    def compare(self, first: str, second: str) -> dict[str, Any]:
        """What differs between two models of this genealogy, tensor by tensor.

        Raises as ``identify`` does; KeyError for models that are not here.

        Examples
        --------
        >>> heritage.compare("base", "tuned")["tensors"][0]["delta_rank"]
        2
        """
        files = {fingerprint.checksum: (file, fingerprint) for file, fingerprint in self._files}
        with open_cache(use_cache=True) as cache:
            return compare_files(files[self[first].checksum], files[self[second].checksum], cache)

    def _get_reading(self) -> Reading:
        if self._reading is None:
            raise InvalidRequest("This genealogy was loaded from a document: scan the folder.")
        return self._reading

    @property
    def _files(self) -> list[tuple[FoundFile, Fingerprint]]:
        return self._get_reading().files

    # Showing and keeping ------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ``model-heritage/1`` document.

        Examples
        --------
        >>> heritage.save("heritage.json")
        """
        Path(path).write_text(write_document(self.document), encoding="utf-8")

    def plot(self, family: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw a family, the largest unless told, root on the left; needs matplotlib.

        Examples
        --------
        >>> heritage.plot().figure.savefig("family.svg")
        """
        from model_heritage_backend.scanning.plot import draw_family

        family = family or (self.document["families"][0]["id"] if len(self) else None)
        return draw_family(self.tree(family), ax=ax)

    def _repr_html_(self) -> str:
        """For notebooks."""
        return write_html(repr(self)[1:-1], self.models)


def scan(
    folder: str | os.PathLike[str],
    *,
    cache: bool = True,
    method: str = "heritage",
    exact: bool = True,
    progress: Progress | None = None,
) -> Heritage:
    """Find the genealogy of all checkpoints below a folder, in place.

    Parameters
    ----------
    cache : remember what was read for the next time
    method : a TreeBuildingMethod's value
    exact : read the files again to refine the tree's edges

    Raises
    ------
    NotFound
        When there is no such folder. Files that cannot be read are in ``errors``.

    Examples
    --------
    >>> heritage = scan(models)
    >>> len(heritage), heritage["tuned"].relation
    (3, 'adapter')
    """
    report = progress or (lambda _share, _stage: None)
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise NotFound(f"There is no folder {root}.")
    found = find_checkpoints(root)
    total = max(PASSES * sum(file.size for file in found.files), 1)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report(READING_SHARE * done / total, "reading")

    with open_cache(use_cache=cache) as memory:
        reading = read_files(found.files, memory, on_bytes=advance, on_error=lambda _error: None)
        document = solve(
            reading,
            memory,
            method=method,
            exact=exact,
            on_progress=lambda share, stage: report(
                READING_SHARE + (1 - READING_SHARE) * share, stage
            ),
        )
    return Heritage(document, reading, exact=exact)


def load_heritage(path: str | os.PathLike[str]) -> Heritage:
    """A genealogy from a document that ``Heritage.save`` or the command ``scan --json`` wrote.

    Raises
    ------
    InvalidRequest
        When the file is no such document.

    Examples
    --------
    >>> heritage.save("heritage.json")
    >>> load_heritage("heritage.json")["half"] == heritage["half"]
    True
    """
    try:
        document = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read as a heritage document.") from error
    if not isinstance(document, dict):
        raise InvalidRequest(f"{path} is not a heritage document.")
    return Heritage(document)


def compare(
    first: str | os.PathLike[str], second: str | os.PathLike[str], *, cache: bool = True
) -> dict[str, Any]:
    """What differs between two checkpoints: a summary, kinship, layers, kinds and tensors.

    Raises
    ------
    HeritageError
        When one of them cannot be read.

    Examples
    --------
    >>> found = compare(models / "base.safetensors", models / "tuned.safetensors")
    >>> print(found["kinship"]["kind"], found["kinship"]["relation"])
    child adapter
    """
    with open_cache(use_cache=cache) as memory:
        one, two = (read_one(Path(path).expanduser(), memory) for path in (first, second))
        return compare_files(one, two, memory)
