"""One name for tied tensors, whatever the file kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_model, save_file, save_model

from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.tied_names import choose_name
from model_heritage_backend.weights.writing import write_safetensors


@pytest.mark.parametrize(
    ("kept", "dropped"),
    [
        ("transformer.wte.weight", ["lm_head.weight"]),
        ("model.decoder.embed_tokens.weight", ["lm_head.weight"]),
        ("shared.weight", ["lm_head.weight", "encoder.embed_tokens.weight"]),
        ("model.shared.weight", ["model.decoder.embed_tokens.weight", "lm_head.weight"]),
        ("bert.embeddings.word_embeddings.weight", ["cls.predictions.decoder.weight"]),
        ("cls.predictions.bias", ["cls.predictions.decoder.bias"]),
        ("model.decoder.embed_tokens.weight", ["proj_out.weight"]),
    ],
)
def test_agrees_with_what_transformers_keeps(kept: str, dropped: list[str]) -> None:
    assert choose_name([kept, *dropped]) == choose_name([*dropped, kept]) == kept


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(32, 16)
        self.body = torch.nn.Linear(16, 16)
        self.a_head = torch.nn.Linear(16, 32, bias=False)
        self.head = self.a_head
        self.head.weight = self.embedding.weight


def summarise(path: Path) -> Fingerprint:
    with open_weights(path) as weights:
        return fingerprint_weights(weights, checksum="0" * 64)


def test_all_formats_give_one_fingerprint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Tied()
    state = model.state_dict()
    torch.save(state, tmp_path / "zip.pt")
    torch.save(state, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    save_model(model, str(tmp_path / "noted.safetensors"))
    kept = {k: v for k, v in state.items() if "head" not in k}
    save_file(kept, tmp_path / "plain.safetensors")
    with open_weights(tmp_path / "zip.pt") as weights:
        write_safetensors(weights, tmp_path / "written.safetensors")
    loaded = Tied()
    load_model(loaded, tmp_path / "written.safetensors")
    assert torch.equal(loaded.head.weight, model.embedding.weight)

    wanted = summarise(tmp_path / "plain.safetensors")
    assert wanted.total_parameters == 32 * 16 + 16 * 16 + 16
    for path in tmp_path.iterdir():
        found = summarise(path)
        assert (found.total_parameters, found.structural_hash) == (
            wanted.total_parameters,
            wanted.structural_hash,
        )
        digests = {name: tensor.value_digest for name, tensor in found.tensors.items()}
        assert digests == {name: tensor.value_digest for name, tensor in wanted.tensors.items()}
    with open_weights(tmp_path / "noted.safetensors") as weights:
        assert weights.tied["head.weight"] == "embedding.weight"


def test_metadata_that_names_no_tensor_changes_nothing(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "a", metadata={"format": "pt", "a": "a"})
    with open_weights(tmp_path / "a") as weights:
        assert (list(weights), weights.tied) == (["a"], {})
