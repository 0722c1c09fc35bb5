"""The allow-list: what is on it is inert, what is not on it is refused by name."""

from __future__ import annotations

import pytest

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.pickled_globals import resolve_global
from model_heritage_backend.weights.pickled_values import (
    Global,
    PickledObject,
    StorageType,
    TorchType,
)


@pytest.mark.parametrize(
    "name",
    [
        "argparse.Namespace",
        "collections.OrderedDict",
        "numpy.core.multiarray.scalar",
        "omegaconf.dictconfig.DictConfig",
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "torch.optim.adam.Adam",
        "transformers.training_args.TrainingArguments",
    ],
)
def test_objects_beside_the_weights_stay_inert(name: str) -> None:
    module, _, last = name.rpartition(".")
    found = resolve_global(module, last)
    assert isinstance(found, Global)
    made = found.build(("argument",))
    assert isinstance(made, PickledObject)
    assert (made.kind, made.arguments) == (name, ("argument",))


def test_types_and_storages_have_their_own_values() -> None:
    assert resolve_global("torch", "bfloat16") == TorchType("bfloat16")
    assert resolve_global("torch", "HalfStorage") == StorageType(TorchType("float16"))
    assert resolve_global("torch.storage", "UntypedStorage") == StorageType(TorchType("untyped"))


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "posix.system",
        "nt.system",
        "builtins.eval",
        "builtins.exec",
        "builtins.getattr",
        "builtins.__import__",
        "builtins.print",
        "__builtin__.eval",
        "subprocess.Popen",
        "runpy.run_path",
        "sys.exit",
        "pickle.loads",
        "importlib.import_module",
        "webbrowser.open",
        "torch.load",
        "torch.hub.load",
        "torch.jit.load",
        "numpy.load",
        "numpyx.core",
        "torch.nnx.Linear",
        "argparsex.Namespace",
        "__main__.Net",
        ".",
        "torch..nn",
    ],
)
def test_everything_else_is_refused_by_name(name: str) -> None:
    module, _, last = name.rpartition(".")
    with pytest.raises(InvalidWeights) as caught:
        resolve_global(module, last)
    assert f"'{module}.{last}'" in caught.value.detail
