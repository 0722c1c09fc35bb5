"""How a merge was made, as a configuration that mergekit reads and can repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from model_heritage_backend.clustering.genealogy import Edge, FamilyTree, Relation
from model_heritage_backend.errors import NotFound
from model_heritage_backend.interop.yaml_text import quote_text

DTYPES = {"F64": "float32", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""mergekit has no 64 bits."""
DIGITS = 6


def write_merge_recipe(
    tree: FamilyTree, model_id: str, names: Mapping[str, str], *, dtype: str
) -> str:
    """YAML that makes the model again from its parents.

    Parameters
    ----------
    names : model id -> what to call it; quoted here, whatever it holds
    dtype : of the file, in mergekit's words

    Raises
    ------
    NotFound
        When the tree does not know the model as a merge.
    """
    edges = [e for e in tree.edges if e.child == model_id and e.relation is Relation.MERGE]
    method = edges[0].evidence.merge_method if edges else None
    if method is None:
        raise NotFound(f"{names[model_id]!r} is not known to be a merge.")
    lines = [
        f"# {quote_text(names[model_id])}, recovered from its weights by Model Heritage;",
        f"# confidence {min(edge.confidence for edge in edges):.2f}.",
    ]
    if any("by_tensor" in edge.evidence.flags and not edge.evidence.gradient for edge in edges):
        lines.append("# Not the whole recipe: shares differ by tensor. Their means are given.")
    if method == "dare_linear":
        lines.append("# What was dropped at random will not be dropped again.")
    lines.append(f"merge_method: {method}")
    lines += WRITERS[method](edges, names)
    return "\n".join([*lines, f"dtype: {dtype}", ""])


def write_merge_recipes(
    trees: Iterable[FamilyTree],
    wanted: Iterable[str],
    names: Mapping[str, str],
    *,
    dtypes: Mapping[str, str],
) -> str:
    """The recipes of several models as documents of one YAML stream, as mergekit-multi reads them.

    A recipe is called by its model's id, and so are parents that are made by another recipe:
    mergekit makes paths of these, which no model's name may become.

    Parameters
    ----------
    wanted : ids of models; those that are no merges are left out
    names : model id -> what to call it, of all members of the trees
    dtypes : model id -> of its file, in mergekit's words
    """
    asked = set(wanted)
    merges = {
        edge.child: tree
        for tree in trees
        for edge in tree.edges
        if edge.child in asked and edge.evidence.merge_method is not None
    }
    called = {**names, **{merge: merge for merge in merges}}
    recipes = [
        f"# {quote_text(names[merge])}\nname: {merge}\n"
        + write_merge_recipe(merges[merge], merge, called, dtype=dtypes[merge])
        for merge in sorted(merges)
    ]
    return "---\n".join(recipes) or "# No merges are known here.\n"


def find_dtype(sizes: Mapping[str, int]) -> str:
    """In mergekit's words, of most of the weights.

    Parameters
    ----------
    sizes : number of values by storage type
    """
    totals: Counter[str] = Counter()
    for dtype, size in sizes.items():
        totals[DTYPES.get(dtype, "float32")] += size
    return max(totals, key=lambda dtype: (totals[dtype], dtype), default="float32")


def _write_linear(edges: Sequence[Edge], names: Mapping[str, str]) -> list[str]:
    return [*_list_models(edges, names), "parameters:", "  normalize: false"]


def _write_slerp(edges: Sequence[Edge], names: Mapping[str, str]) -> list[str]:
    """t is 0 at the base and 1 at the other model."""
    first, second = edges
    return [
        "models:",
        *(f"  - model: {quote_text(names[edge.parent])}" for edge in edges),
        f"base_model: {quote_text(names[first.parent])}",
        "parameters:",
        f"  t: {_write_value(second)}",
    ]


def _write_differences(edges: Sequence[Edge], names: Mapping[str, str]) -> list[str]:
    """Of the models from the base, whose own coefficient follows from theirs."""
    base = next(edge for edge in edges if "base" in edge.evidence.flags)
    shared = base.evidence.merge_parameters
    lines = _list_models([edge for edge in edges if edge is not base], names)
    lines += [f"base_model: {quote_text(names[base.parent])}", "parameters:"]
    lines.append(f"  normalize: {'true' if shared.get('normalize') else 'false'}")
    if "lambda" in shared:
        lines.append(f"  lambda: {_round(shared['lambda'])}")
    return lines


WRITERS: Mapping[str, Callable[[Sequence[Edge], Mapping[str, str]], list[str]]] = {
    "linear": _write_linear,
    "slerp": _write_slerp,
    "task_arithmetic": _write_differences,
    "ties": _write_differences,
    "dare_linear": _write_differences,
}


def _list_models(edges: Sequence[Edge], names: Mapping[str, str]) -> list[str]:
    lines = ["models:"]
    for edge in edges:
        lines += [f"  - model: {quote_text(names[edge.parent])}", "    parameters:"]
        lines.append(f"      weight: {_write_value(edge)}")
        density = edge.evidence.merge_parameters.get("density")
        if density is not None:
            lines.append(f"      density: {_round(density)}")
    return lines


def _write_value(edge: Edge) -> str:
    """One number, or one for every layer."""
    if edge.evidence.gradient:
        return "[" + ", ".join(_round(value) for value in edge.evidence.gradient) + "]"
    weight = edge.evidence.merge_parameters.get("weight", edge.coefficient)
    if weight is None:
        raise ValueError(f"the merge {edge.child} has no factor of {edge.parent}")
    return _round(weight)


def _round(value: float) -> str:
    # A point before the exponent: YAML 1.1 takes 1e-05 for text.
    return f"{value:.{DIGITS}f}"
