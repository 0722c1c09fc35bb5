"""Where the weights are found in what training programs save."""

from __future__ import annotations

import pytest

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.pickled_values import (
    PickledObject,
    Storage,
    TensorDescription,
    TorchType,
    UnreadableTensor,
)
from model_heritage_backend.weights.state_dict import PLACES, find_state_dict

FLOAT = TorchType("float32")


def tensor(key: str = "0") -> TensorDescription:
    return TensorDescription(Storage(key, FLOAT, 1), FLOAT, 0, (1,), (1,))


def mapping(**items: object) -> PickledObject:
    return pairs(*items.items())


def pairs(*items: tuple[object, object]) -> PickledObject:
    made = PickledObject("dict")
    for key, value in items:
        made.set_item(key, value)
    return made


def find(content: object) -> list[str]:
    return list(find_state_dict(content, Limits()))


def test_the_content_itself_keeps_its_order() -> None:
    content = mapping(b=tensor(), a=tensor(), epoch=3, note="x", extra=mapping(c=tensor()))
    assert find(content) == ["b", "a"]


@pytest.mark.parametrize("place", PLACES)
def test_known_places_are_searched(place: str) -> None:
    assert find(mapping(**{place: mapping(w=tensor()), "epoch": 1})) == ["w"]
    assert find(mapping(model=mapping(**{place: mapping(w=tensor())}))) == ["w"]


def test_optimizers_do_not_count() -> None:
    state = mapping(a=tensor(), b=tensor(), c=tensor())
    assert find(
        mapping(optimizer=state, optimizer_state_dict=state, model=mapping(w=tensor()))
    ) == ["w"]
    with pytest.raises(InvalidWeights, match="'optimizer'"):
        find(mapping(optimizer=state))


def test_the_mapping_with_most_tensors_wins_and_weights_come_before_averages() -> None:
    assert find(mapping(steps=tensor(), model=mapping(a=tensor(), b=tensor()))) == ["a", "b"]
    both = mapping(ema=mapping(averaged=tensor()), model=mapping(plain=tensor()))
    assert find(both) == ["plain"]


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(InvalidWeights, match="names the tensor 'a' twice"):
        find(pairs(("a", tensor("0")), ("a", tensor("1"))))


def test_unreadable_tensors_are_refused_where_they_are_weights() -> None:
    with pytest.raises(InvalidWeights, match="Tensor 'b' is sparse"):
        find(mapping(a=tensor(), b=UnreadableTensor("sparse")))
    aside = mapping(model=mapping(a=tensor()), other=mapping(b=UnreadableTensor("sparse")))
    assert find(aside) == ["a"]


def test_one_object_at_every_place_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file can refer to a large mapping a hundred times for a few bytes each."""
    looks = 0
    original = PickledObject.list_pairs

    def counted(self: PickledObject) -> list[tuple[object, object]]:
        nonlocal looks
        looks += 1
        return original(self)

    monkeypatch.setattr(PickledObject, "list_pairs", counted)
    content = mapping(w=tensor())
    for _ in range(5):
        content = mapping(**dict.fromkeys(PLACES, content))
    find(content)
    assert looks < 40


def test_a_mapping_that_holds_itself_ends() -> None:
    content = mapping(w=tensor())
    content.set_item("model", content)
    assert find(content) == ["w"]


def test_averages_only_where_there_is_nothing_else() -> None:
    averaged = mapping(w=tensor(), n_averaged=tensor())
    assert find(mapping(model_ema=averaged, model=mapping(w=tensor()))) == ["w"]
    assert find(mapping(model_ema=averaged, epoch=1)) == ["w", "n_averaged"]
    assert find(mapping(state_dict_ema=averaged, epoch=1)) == ["w", "n_averaged"]


def test_networks_side_by_side_are_one_checkpoint() -> None:
    network = mapping(w=tensor())
    state = mapping(state=mapping(momentum=tensor()))
    content = mapping(
        generator=network,
        discriminator=mapping(w=tensor("1")),
        g_optim=state,
        g_ema=network,
        optimizerD=state,
        lr_scheduler=state,
        hyper_parameters=mapping(t=tensor("2")),
    )
    assert find(content) == ["generator.w", "discriminator.w"]


def test_nested_mappings_are_joined() -> None:
    inner = mapping(
        embedding=mapping(weight=tensor()), layers=mapping(**{"0": mapping(w=tensor())})
    )
    assert find(mapping(model=mapping(language_model=inner), epoch=2)) == [
        "language_model.embedding.weight",
        "language_model.layers.0.w",
    ]


def test_nesting_is_limited_and_references_cost_nothing() -> None:
    content = leaf = mapping(w=tensor())
    for _ in range(40):
        content = mapping(a=content, b=content)
    with pytest.raises(InvalidWeights, match="nested too deeply"):
        find(content)
    assert find(mapping(a=leaf, b=leaf, c=mapping(d=leaf))) == ["a.w"]
