# SPDX-License-Identifier: Apache-2.0
"""What `tsunagi audit bundle`, `records` and `compare` refuse, and that nothing is left behind; on real logs they are
tested in tests/hub/evidence and tests/journeys.
"""

from __future__ import annotations

from pathlib import Path

from connectors.cli.evidence import EXIT_NOT_CHECKED
from consent.evidence import records
from tests.connectors.cli.office import Office, Town


def refused(office: Office, *words: str, code: int) -> str:
    told: str = office.json("audit", *words, code=code)["error"]["code"]
    return told


def test_records_are_written_into_a_new_file_and_name_their_agency(j1: Office, tmp_path: Path) -> None:
    place = tmp_path / "records.gz"
    assert j1.json("audit", "records", str(place)) == {"file": str(place), "messages": 0}
    with place.open("rb") as stream:
        assert records.read(stream).holder.agency == j1.id
    assert refused(j1, "records", str(place), code=1) == "file-exists"
    assert refused(j1, "records", str(tmp_path / "none" / "records.gz"), code=1) == "folder-unwritable"


def test_a_bundle_that_cannot_be_finished_leaves_no_file(town: Town, j1: Office, tmp_path: Path) -> None:
    place = tmp_path / "bundle.gz"
    town.hub.away = True
    assert refused(j1, "bundle", str(place), code=4) == "hub-away"
    assert not place.exists()
    place.write_bytes(b"kept")
    town.hub.away = False
    assert refused(j1, "bundle", str(place), code=1) == "file-exists"
    assert place.read_bytes() == b"kept"


def test_what_is_no_bundle_and_no_records_is_not_compared(j1: Office, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"no records")
    missing = str(tmp_path / "missing")
    assert refused(j1, "compare", missing, code=EXIT_NOT_CHECKED) == "file-unreadable"
    assert refused(j1, "compare", missing, "--other", str(other), code=EXIT_NOT_CHECKED) == "records-unreadable"
    assert refused(j1, "compare", missing, "--other", missing, code=EXIT_NOT_CHECKED) == "file-unreadable"
    broken = j1.json("audit", "compare", str(other), code=1)
    assert broken["verified"]["verdict"] == "tampered"
