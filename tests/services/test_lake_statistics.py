from __future__ import annotations

from model_heritage_backend.services.lake_statistics import (
    count_by_time,
    count_confidences,
    count_decades,
    count_sizes,
)


def test_days_without_arrivals_are_told_too() -> None:
    told = count_by_time({"2026-11-19": 2, "2026-11-21": 1})
    assert told["unit"] == "day"
    assert [place["models"] for place in told["counts"]] == [2, 0, 1]
    assert told["counts"][1]["start"] == "2026-11-20"
    assert count_by_time({}) == {"unit": "day", "counts": []}


def test_arrivals_that_lie_far_apart_are_told_by_month() -> None:
    told = count_by_time({"2025-12-31": 2, "2026-02-01": 3, "2026-04-30": 1})
    assert told["unit"] == "month"
    assert told["counts"] == [
        {"start": "2025-12-01", "models": 2},
        {"start": "2026-01-01", "models": 0},
        {"start": "2026-02-01", "models": 3},
        {"start": "2026-03-01", "models": 0},
        {"start": "2026-04-01", "models": 1},
    ]


def test_a_clock_that_stood_in_another_century_makes_no_endless_row() -> None:
    assert len(count_by_time({"0001-01-01": 1, "9999-12-31": 1})["counts"]) == 240


def test_families_by_size() -> None:
    told = count_sizes([1, 1, 2, 4, 5000])
    assert {(place["least"], place["families"]) for place in told if place["families"]} == {
        (1, 2),
        (2, 1),
        (3, 1),
        (1000, 1),
    }


def test_parameters_by_powers_of_ten() -> None:
    told = count_decades([999, 1000, 250_000])
    assert [(place["least"], place["models"]) for place in told] == [
        (100, 1),
        (1000, 1),
        (10_000, 0),
        (100_000, 1),
    ]
    assert count_decades([]) == []


def test_confidences_add_up_to_what_should_be_right() -> None:
    told = count_confidences([0.95, 1.0, 0.55])
    assert (told[9]["edges"], told[9]["expected_right"]) == (2, 1.95)
    assert told[5]["edges"] == 1
    assert sum(place["edges"] for place in told) == 3
