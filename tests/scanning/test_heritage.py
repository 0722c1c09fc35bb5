"""The Python interface on real trained models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

import model_heritage_backend
from benchmarks.zoo import Zoo
from model_heritage_backend import Heritage, compare, load_heritage, scan
from model_heritage_backend.errors import InvalidRequest, InvalidWeights, NotFound
from model_heritage_backend.scanning.placing import Answer
from tests.cli.test_scan import copy_old

HOSTILE = '<img src=x onerror="alert(1)">$a_b$.safetensors'


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("xdg")))
        yield


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, zoo_family: Zoo, strangers: list[Path]
) -> Path:
    """base - noisy - noisy-odd (under a hostile name), a stranger, and a file that is none."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("base", "noisy"):
        copy_old(zoo_family.path(name), folder / "family" / f"{name}.safetensors")
    copy_old(zoo_family.path("noisy-odd"), folder / HOSTILE)
    copy_old(strangers[0], folder / "stranger.safetensors")
    (folder / "broken.pt").write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="module")
def heritage(folder: Path) -> Heritage:
    return scan(folder)


def test_models_by_every_name(heritage: Heritage) -> None:
    assert len(heritage) == 4
    noisy = heritage["noisy"]
    assert heritage["family/noisy.safetensors"] == noisy == heritage[noisy.checksum[:12]]
    assert heritage[noisy.id] is noisy
    assert (noisy.parent, noisy.relation) == (heritage["base"].id, "finetune")
    assert noisy.confidence is not None
    assert (heritage["stranger"].parent, heritage["base"].parent) == (None, None)
    with pytest.raises(KeyError):
        heritage["nobody"]
    assert [error["path"] for error in heritage.errors] == ["broken.pt"]
    assert repr(heritage) == "<Heritage: 4 models, 1 families, 1 unreadable files>"


def test_lineage_and_tree(heritage: Heritage) -> None:
    line = heritage.lineage(HOSTILE)
    assert [model.name for model in line[:2]] == ["base", "noisy"]
    family = heritage.families[0]["id"]
    tree = heritage.tree(family)
    assert (len(tree), tree.number_of_edges()) == (3, 2)
    assert len(heritage.tree()) == 4
    edge = tree.edges[heritage["base"].id, heritage["noisy"].id]
    assert (edge["relation"], edge["main"]) == ("finetune", True)
    with pytest.raises(NotFound):
        heritage.tree("F99")


def test_pandas(heritage: Heritage) -> None:
    table = heritage.to_pandas()
    assert list(table.index) == list(heritage)
    assert table.loc[heritage["noisy"].id, "parent"] == heritage["base"].id
    assert table["family"].nunique() == 2


def test_identify_and_compare(heritage: Heritage, zoo_family: Zoo) -> None:
    place = heritage.identify(zoo_family.path("noisy-odd-lora"))
    assert place.answer is Answer.FOUND
    assert place.to_dict()["parents"][0]["name"] == HOSTILE
    assert len(heritage) == 4
    found = heritage.compare("base", "noisy")
    assert found["kinship"]["kind"] == "child"
    paths = (zoo_family.path("base"), zoo_family.path("noisy"))
    assert compare(*paths)["summary"] == found["summary"]
    with pytest.raises(NotFound):
        heritage.identify("nothing.safetensors")


def test_unreadable(heritage: Heritage, folder: Path) -> None:
    with pytest.raises(InvalidWeights, match=r"broken\.pt"):
        heritage.identify(folder / "broken.pt")
    with pytest.raises(NotFound):
        scan(folder / "nowhere")


def test_saved_and_loaded(heritage: Heritage, tmp_path: Path) -> None:
    heritage.save(tmp_path / "heritage.json")
    again = load_heritage(tmp_path / "heritage.json")
    assert again.models == heritage.models
    with pytest.raises(InvalidRequest, match="scan the folder"):
        again.compare("base", "noisy")
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InvalidRequest):
        load_heritage(tmp_path / "other.json")


def test_names_are_no_markup(heritage: Heritage) -> None:
    shown = heritage._repr_html_()
    assert "<img" not in shown
    assert "&lt;img" in shown
    assert shown.count("<ul>") == shown.count("</ul>")
    assert shown.count("<li>") == shown.count("</li>") == 4


def test_plot(heritage: Heritage, tmp_path: Path) -> None:
    """A name with dollar signs is drawn as it is, and no formula."""
    mpl.use("Agg")
    axes = heritage.plot()
    labels = [text.get_text() for text in axes.texts]
    assert len(labels) == 3
    assert HOSTILE.removesuffix(".safetensors") in labels
    axes.figure.savefig(tmp_path / "family.png")
    assert (tmp_path / "family.png").stat().st_size > 1000


def test_progress_reaches_its_end(folder: Path) -> None:
    shares: list[float] = []
    scan(folder, progress=lambda share, _stage: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def test_the_package_gives_only_what_it_says() -> None:
    with pytest.raises(AttributeError):
        _ = model_heritage_backend.nonsense
