# SPDX-License-Identifier: Apache-2.0
"""`tsunagi import cases`: the desk's import from the shell, with the same findings and without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.cli.office import Office, Town
from tests.connectors.desk.tables import OTHER, ROW, as_csv, as_xlsx


def written(folder: Path, data: bytes, name: str = "register.csv") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


@pytest.mark.parametrize("kind", ["csv-utf-8", "csv-cp932", "xlsx"])
def test_a_register_comes_in_once_and_its_faults_are_named(j1: Office, tmp_path: Path, kind: str) -> None:
    rows = (ROW, OTHER, ("", "架空　誤", "", "いつか", "", "", "", ""))
    encoding = "cp932" if "932" in kind else "utf-8"
    data, name = (as_xlsx(*rows), "a.xlsx") if kind == "xlsx" else (as_csv(*rows, encoding=encoding), "a.csv")
    file = written(tmp_path, data, name)
    looked = j1.json("import", "cases", file, "--kind", kind, "--dry-run")
    assert (looked["added"], looked["left"], looked["import"]) == (2, 1, None)
    assert j1.json("export", "people")["people"] == []
    done = j1.json("import", "cases", file, "--kind", kind)
    assert (done["added"], done["left"]) == (2, 1)
    ((row, column),) = [(one["row"], one["column"]) for one in done["faults"]]
    assert (row, column) == (4, "born_on")
    assert j1.json("import", "cases", file, "--kind", kind)["added"] == 0
    assert {one["name"] for one in j1.json("export", "people")["people"]} == {ROW[1], OTHER[1]}


def test_lookalikes_are_left_out_unless_one_says_that_they_are_others(j1: Office, tmp_path: Path) -> None:
    j1.json("import", "cases", written(tmp_path, as_csv(ROW)), "--kind", "csv-utf-8")
    again = written(tmp_path, as_csv(("", *ROW[1:])))
    assert j1.json("import", "cases", again, "--kind", "csv-utf-8")["added"] == 0
    assert j1.json("import", "cases", again, "--kind", "csv-utf-8", "--lookalikes", "other")["added"] == 1


def test_nothing_is_told_to_the_hub_and_a_note_tells_it_first(town: Town, j1: Office, tmp_path: Path) -> None:
    j1.json("import", "cases", written(tmp_path, as_csv(ROW)), "--kind", "csv-utf-8")
    ((case,),) = [one["cases"] for one in j1.json("person", "find", "かくう")["people"]]
    j1.json("sync")
    assert case not in town.hub.cases
    assert j1.json("case", "note", case, "contact_attempt", "--channel", "telephone")["entry"]
    assert case in town.hub.cases


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [(as_csv(OTHER, encoding="cp932"), "csv-utf-8", "cannot be taken in"),
     (as_csv(OTHER), "xlsx", "cannot be taken in"),
     (as_csv(("架空",), header=("だれか",)), "csv-utf-8", "not known: だれか"),
     (as_csv(OTHER), "auto", "csv-utf-8 (CSV (UTF-8))")],
)  # fmt: skip
def test_a_table_that_will_not_do_is_refused_in_words(
    j1: Office, tmp_path: Path, data: bytes, kind: str, sentence: str
) -> None:
    name = "a.xlsx" if kind == "xlsx" else "a.csv"
    refused = j1.type("import", "cases", written(tmp_path, data, name), "--kind", kind, code=2 if kind == "auto" else 1)
    assert sentence in refused.stderr
    assert j1.json("export", "people")["people"] == []
