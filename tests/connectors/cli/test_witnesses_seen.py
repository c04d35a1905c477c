# SPDX-License-Identifier: Apache-2.0
"""`tsunagi doctor` says how the hub's log stands with its witnesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.cli import doctor
from connectors.sync.witnesses import POLICY_FILE
from consent.tlog.notes import Verifier
from tests.connectors.cli.office import Office, Town
from tests.connectors.cli.test_work import Answering
from tests.connectors.sync.test_witnesses import KEYS, cosign, policy_text


def said(office: Office) -> tuple[str, str]:
    (found,) = [one for one in office.json("doctor", code=1)["findings"] if one["check"] == "witnesses"]
    return found["state"], found["detail"]


def test_the_doctor_says_how_the_witnesses_stand(town: Town, j1: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.requests, "get", lambda *_, **__: Answering("Mon, 06 Jan 2020 00:00:00 GMT"))
    assert said(j1) == ("ok", "There is no policy for the log's witnesses (witnesses.txt).")
    (j1.folder / POLICY_FILE).write_text(policy_text(town.hub.log.verifier), encoding="utf-8")
    assert said(j1) == ("ok", "No witness of the log was heard of yet.")
    cosign(town.hub.log, *KEYS, at=town.now())
    j1.json("sync")
    assert said(j1)[0] == "ok"
    town.pass_time(timedelta(hours=5))
    state, detail = said(j1)
    assert state == "warn"
    assert "4 hours late" in detail


def test_both_notes_of_a_log_that_is_two_are_shown(town: Town, j1: Office) -> None:
    j1.json("sync")
    assert j1.json("audit", "forked") == {"fork": None}
    entry, parties = town.hub.log.entries[-1]
    town.hub.log.entries[-1] = (replace(entry, entry=entry.entry + " "), parties)
    j1.json("audit", "checkpoint", code=1)
    assert j1.type("audit", "forked", code=1).stdout.count(f"— {Verifier.read(town.hub.log.verifier).name} ") == 2


def test_a_policy_that_cannot_be_read_is_said(j1: Office) -> None:
    (j1.folder / POLICY_FILE).write_text("hello\n", encoding="utf-8")
    assert "witness policy" in j1.type("sync", code=1).stderr
