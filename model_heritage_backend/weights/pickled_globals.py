"""The allow-list: every name that a PyTorch file may refer to, and the inert value it becomes.

Nothing here imports or calls what a file names. A name outside the list refuses the whole file: it
is either code execution in disguise or an object that is more than weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.pickled_values import (
    Global,
    PickledObject,
    Storage,
    StorageType,
    TensorDescription,
    TorchType,
    UnreadableTensor,
)

Arguments = tuple[object, ...]
LARGEST = 2**63 - 1
MOST_DIMENSIONS = 64
LONGEST_KEY = 1024
MOST_TENSOR_FACTS = 16
UNTYPED = TorchType("untyped")

STORAGE_TYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "untyped",
}
TORCH_TYPES = frozenset(STORAGE_TYPES.values()) | {
    "float", "double", "half", "long", "int", "short", "complex32", "cfloat", "cdouble",
    "uint16", "uint32", "uint64", "bits8", "bits16",
    "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
    "float4_e2m1fn_x2",
}  # fmt: skip

# What training programs keep beside the weights: hyperparameters, random states, optimizers.
INERT_PACKAGES = frozenset({
    "torch.nn", "torch.optim", "torch.distributed", "torch.amp", "torch.cuda.amp", "torch.utils",
    "torch.storage", "torch._tensor", "torch._utils", "torch.torch_version", "torch.fx",
    "torch.ao", "torch.quantization", "torchvision", "torchaudio", "timm", "transformers", "peft",
    "accelerate", "pytorch_lightning", "lightning", "lightning_fabric", "omegaconf",
    "numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric",
    "numpy.dtypes", "numpy.random._pickle", "argparse", "pathlib", "datetime", "decimal",
    "fractions", "uuid", "enum", "typing", "types", "addict", "easydict", "box", "yacs",
    "ml_collections", "mmengine", "mmcv", "fairseq", "hydra",
})  # fmt: skip
INERT_NAMES = frozenset({
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
    "collections.deque", "torch.device", "torch.Size", "torch.Generator", "torch.Tensor",
    "torch.memory_format", "torch.layout", "torch.strided", "torch.contiguous_format",
    "torch.preserve_format", "torch.per_tensor_affine", "torch.per_channel_affine",
    "torch.serialization._get_layout", "numpy.dtype", "numpy.ndarray", "numpy.bool_",
    "numpy.float64", "numpy.float32", "numpy.float16", "numpy.int64", "numpy.int32", "numpy.int16",
    "numpy.int8", "numpy.uint8", "_codecs.encode", "copyreg._reconstructor",
    "copy_reg._reconstructor", "functools.partial",
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in (
        "object", "dict", "list", "tuple", "set", "frozenset", "int", "float", "complex", "bool",
        "str", "unicode", "long", "bytes", "bytearray", "slice", "range", "xrange")),
})  # fmt: skip


@lru_cache(maxsize=256)
def resolve_global(module: str, name: str) -> object:
    """The inert value that stands for ``module.name``.

    Raises
    ------
    InvalidWeights
        When the name is not on the list; the detail names it.
    """
    full = f"{module}.{name}"
    # A dotted name is an attribute of an object: methods, but no class that weights are kept in.
    if "." in name:
        raise _refused(full)
    if full in BUILDERS:
        return Global(full, BUILDERS[full])
    if module in ("torch", "torch.storage") and name in STORAGE_TYPES:
        return StorageType(TorchType(STORAGE_TYPES[name]))
    if module == "torch" and name in TORCH_TYPES:
        return TorchType(name)
    parts = module.split(".")
    packages = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    if full in INERT_NAMES or packages & INERT_PACKAGES:
        return Global(full, lambda arguments: PickledObject(full, arguments))
    raise _refused(full)


def build_storage(identity: object) -> object:
    """What a persistent id stands for.

    ("storage", class, key, location, count) is a Storage; files before PyTorch 1.6 add (key of the
    view, first, count) or None, and have ("module", class, file, source), which is the class.
    """
    match identity:
        case ("storage", StorageType(type=kind), str(key), _, int(count), *rest) if (
            _is_size(count) and len(key) <= LONGEST_KEY
        ):
            match rest:
                case [] | [None]:
                    return Storage(key, kind, count)
                case [(_, int(first), int(part))] if _is_size(first) and _is_size(part):
                    return Storage(key, kind, count, (first, part))
        case ("module", Global() as module, _, _):
            return module
    raise InvalidWeights("The file refers to values in a way that PyTorch does not use.")


def build_tensor(arguments: Arguments) -> TensorDescription:
    """(storage, offset, shape, strides, ...): torch's rebuild function and its version 2."""
    if len(arguments) < 4 or not isinstance(arguments[0], Storage):
        raise _bad_tensor()
    if len(arguments) > 6:
        _refuse_lazy_bits(arguments[6])
    return _describe(arguments[0], arguments[0].type, arguments[1:4])


def build_tensor_of_type(arguments: Arguments) -> TensorDescription:
    """Version 3: an untyped storage, and the dtype as the seventh argument."""
    if len(arguments) < 7:
        raise _bad_tensor()
    storage, kind = arguments[0], arguments[6]
    if not isinstance(storage, Storage) or not isinstance(kind, TorchType):
        raise _bad_tensor()
    if len(arguments) > 7:
        _refuse_lazy_bits(arguments[7])
    return _describe(storage, kind, arguments[1:4])


def build_parameter(arguments: Arguments) -> object:
    """A parameter is its tensor."""
    if not arguments or not isinstance(arguments[0], TensorDescription | UnreadableTensor):
        raise _bad_tensor()
    return arguments[0]


def build_from_type(arguments: Arguments) -> object:
    """``torch._tensor._rebuild_from_type_v2(function, type, arguments, state)``."""
    # In a loop, as a file may put one into another as often as it likes.
    while True:
        match arguments:
            case (Global(build=build, name=name), _, tuple(inner), *_) if name in BUILDERS:
                if build is not build_from_type:
                    return build(inner)
                arguments = inner
            case _:
                raise _bad_tensor()


def build_size(arguments: Arguments) -> object:
    """A torch.Size is the tuple that it is made of."""
    match arguments:
        case (tuple(size),):
            return size
    raise _bad_tensor()


def _unreadable(kind: str) -> Callable[[Arguments], object]:
    return lambda _arguments: UnreadableTensor(kind)


BUILDERS: dict[str, Callable[[Arguments], object]] = {
    "torch._utils._rebuild_tensor": build_tensor,
    "torch._utils._rebuild_tensor_v2": build_tensor,
    "torch._utils._rebuild_tensor_v3": build_tensor_of_type,
    "torch._utils._rebuild_parameter": build_parameter,
    "torch._utils._rebuild_parameter_with_state": build_parameter,
    "torch.tensor._rebuild_from_type": build_from_type,
    "torch._tensor._rebuild_from_type": build_from_type,
    "torch._tensor._rebuild_from_type_v2": build_from_type,
    "torch.Size": build_size,
    "torch._utils._rebuild_qtensor": _unreadable("quantised by PyTorch"),
    "torch._utils._rebuild_sparse_tensor": _unreadable("sparse"),
    "torch._utils._rebuild_sparse_csr_tensor": _unreadable("sparse"),
    "torch._utils._rebuild_nested_tensor": _unreadable("nested"),
    "torch._utils._rebuild_meta_tensor_no_storage": _unreadable("without values (meta)"),
    "torch._utils._rebuild_wrapper_subclass": _unreadable("of a class of its own"),
    "torch._utils._rebuild_device_tensor_from_numpy": _unreadable("on a special device"),
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _unreadable("on a special device"),
}


def _describe(storage: Storage, kind: TorchType, parts: Arguments) -> TensorDescription:
    offset, shape, strides = parts
    if not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise _bad_tensor()
    if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS:
        raise _bad_tensor()
    numbers = (offset, *shape, *strides)
    if not all(_is_size(n) for n in numbers):
        raise InvalidWeights("A tensor has an offset, shape or stride that is not a size.")
    if math.prod(shape) > LARGEST:
        raise InvalidWeights("A tensor claims more values than any file can hold.")
    assert isinstance(offset, int)  # checked above; said again for the type checker
    return TensorDescription(storage, kind, offset, shape, strides)


def _refuse_lazy_bits(metadata: object) -> None:
    """Tensors saved as "the negative (or conjugate) of what is stored" are not what is stored."""
    if not isinstance(metadata, PickledObject):
        return
    # Bounded, as all tensors may share one mapping.
    if len(metadata.list_pairs()) > MOST_TENSOR_FACTS:
        raise _bad_tensor()
    if any(key in ("neg", "conj") and value is True for key, value in metadata.list_pairs()):
        raise InvalidWeights("A tensor is saved with a pending negation or conjugation.")


def _is_size(value: object) -> bool:
    """A whole number that fits in 63 bits; True and False are none."""
    return type(value) is int and 0 <= value <= LARGEST


def _refused(name: str) -> InvalidWeights:
    return InvalidWeights(
        f"The file refers to the Python object {quote(name)}, which is code rather than weights, "
        "so the file was refused and nothing in it was run. Save the model's state_dict() instead."
    )


def _bad_tensor() -> InvalidWeights:
    return InvalidWeights("A tensor is described in a way that PyTorch does not use.")
