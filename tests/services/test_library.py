"""Models in a folder with a database, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from model_heritage_backend.errors import Conflict, NotFound, UnsupportedFormat
from model_heritage_backend.services.library import open_library
from tests.tiny_models import make_tiny_models


def test_models_stay(tmp_path: Path, plain_environment: None) -> None:
    models = make_tiny_models(tmp_path / "models")
    with open_library(tmp_path / "library") as library:
        half = library.add(models / "half.safetensors")
        base = library.add(models / "base.safetensors", name="the base")
        tuned = library.add(models / "tuned.safetensors")
        assert library.add(models / "base.safetensors") == base, "the same bytes"
        with pytest.raises(Conflict), open_library(tmp_path / "library"):
            pass
    with open_library(tmp_path / "library") as library:
        assert {record.id for record in library.store.list_models()} == {half, base, tuned}
        lineage = library.system.get_model_lineage(half)
        assert [model["name"] for model in lineage["ancestors"]] == ["tuned", "the base"]
        library.system.remove_model(tuned)
        assert library.system.get_model_lineage(half)["parent"]["name"] == "the base"


def test_what_it_takes(tmp_path: Path, plain_environment: None) -> None:
    weights = load_file(make_tiny_models(tmp_path) / "base.safetensors")
    names = sorted(weights)
    (tmp_path / "parts").mkdir()
    for number, chosen in enumerate((names[:3], names[3:]), 1):
        part = tmp_path / "parts" / f"model-{number:05}-of-00002.safetensors"
        save_file({name: weights[name] for name in chosen}, part)
    (tmp_path / "text.pt").write_text("I am a model, believe me.")
    with open_library(tmp_path / "library") as library:
        model = library.store.get_model(library.add(tmp_path / "parts"))
        assert model.name == "parts"
        with pytest.raises(UnsupportedFormat):
            library.add(tmp_path / "text.pt")
        with pytest.raises(NotFound):
            library.add(tmp_path / "nowhere")
        assert len(library.store.list_models()) == 1
    assert list((tmp_path / "library" / "staging").iterdir()) == []
