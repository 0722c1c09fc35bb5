from __future__ import annotations

import csv
import io
from typing import Any

from model_heritage_backend.interop.spreadsheet import FORMULA_STARTS
from model_heritage_backend.interop.table import COLUMNS, write_csv
from tests.interop.lakes import HOSTILE, get_large_lineage
from tests.interop.test_heritage_document import make_document


def read(document: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(write_csv(document), newline=""), strict=True))


def test_a_row_per_model_and_further_parent() -> None:
    rows = read(make_document())
    assert [(row["model_id"], row["parent_id"], row["main"]) for row in rows if row["main"]] == [
        ("b", "a", "true"),
        ("c-2", "c", "true"),
        ("c", "a", "true"),
        ("d", "b", "true"),
        ("d", "c", "false"),
        ("g-2", "g", "true"),
    ]
    assert len(rows) == 11
    assert rows[0] == dict.fromkeys(COLUMNS, "") | {
        "model_id": "a",
        "name": "a.pt",
        "family": "F1",
        "total_parameters": "9",
        "checksum": f"{1:064x}",
    }
    assert rows[1]["parent_name"] == "a.pt"
    assert (rows[1]["confidence"], rows[1]["resolved"]) == ("0.333333", "false")
    assert write_csv(make_document()).count("\r\n") == 12


def test_no_cell_is_a_formula_and_numbers_stay_numbers() -> None:
    rows = read(get_large_lineage().document)
    assert len({row["model_id"] for row in rows}) == 1000
    for row in rows:
        for column, cell in row.items():
            if column == "coefficient" and cell:
                assert float(cell) in (1.25, -0.25)
            else:
                assert not cell.startswith(FORMULA_STARTS), (column, cell)
    names = {row["name"] for row in rows}
    dangerous = [name for name in HOSTILE if name.startswith(FORMULA_STARTS)]
    assert len(dangerous) == 7
    assert {f"'{name}" for name in dangerous} <= names
    assert "line\nbreak\r\nand\ttab" in names
