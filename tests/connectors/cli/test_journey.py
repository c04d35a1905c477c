# SPDX-License-Identifier: Apache-2.0
"""A whole つなぎ typed at two agencies with a real hub between them: form, referral, inbox, answer, outcome, proofs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base.clock import system_clock
from connectors.keystore import keystore
from consent.calendar import day_of
from consent.jwk import KeyUse
from tests.connectors.cli.office import PASSPHRASE, Office, passphrase_file
from tests.journeys.theatre import stage_in_memory

pytestmark = pytest.mark.slow

J1, S1 = "架空市相談センター", "架空市社会福祉協議会"


@dataclass(kw_only=True)
class Journey:
    """Two agencies that the hub admitted, and what they have come to."""

    j1: Office
    s1: Office
    case: str = ""
    referral: str = ""
    said: dict[str, Any] = field(default_factory=dict)


def in_days(days: int) -> str:
    return day_of(system_clock() + timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("journey")
    secret = passphrase_file(folder)
    with stage_in_memory(play=False) as stage:
        made = []
        for kind, name, more in (("jiritsu", J1, ("--coordinates",)), ("shakyo", S1, ())):
            office = Office(folder=folder / kind, secret=secret)
            said = ("--kind", kind, "--name", name, "--hub", stage.url)
            office.json("agency", "init", *said, *more)
            stage.admit(office.founded())
            made.append(office)
        stage.settle()
        yield _travelled(Journey(j1=made[0], s1=made[1]))


def _travelled(to: Journey) -> Journey:
    """Type the whole way once; the tests look at what was said."""
    j1, s1, said = to.j1, to.s1, to.said
    said["founded"] = j1.json("sync"), s1.json("sync")
    to.case = j1.open_case(kana="かくうだ いちろう", birth_date="1979-06-03", income="なし", illness="通院中")
    send = ("referral", "send", to.case, "--to", S1, "--purpose", "koguchi_shikin")
    said["before any form"] = j1.json(*send, code=3)
    said["form"] = j1.consent(to.case, S1, "--until", in_days(90), "--strike", "debt_arrears")
    said["preview"] = j1.json("referral", "preview", to.case, "--to", S1, "--purpose", "koguchi_shikin")
    said["sensitive"] = j1.json(*send, "--part", "health=通院中", code=3)
    said["sent"] = j1.json(*send)
    to.referral = said["sent"]["referral"]
    said["collected"] = s1.json("sync")
    said["inbox"] = s1.json("inbox", "list")
    said["read"] = s1.json("inbox", "read", said["sent"]["message"])
    said["after reading"] = s1.json("referral", "show", to.referral)
    move = ("referral",)
    said["accepted"] = s1.json(*move, "accept", to.referral, "--role", "caseworker", "--next-on", in_days(1))
    said["started"] = s1.json(*move, "start", to.referral, "--on", in_days(0))
    said["gone along"] = j1.json(
        "accompany", "record", to.referral, "--on", in_days(0), "--role", "counsellor", "--destination", S1,
        "--purpose", "apply", "--result", "application_accepted", "--minutes", "45",
    )  # fmt: skip
    said["reported"] = s1.json(
        *move, "report-outcome", to.referral, "--outcome", "granted", "--words", "貸付が決まりました"
    )
    said["back"] = j1.json("sync")
    said["outcome"] = j1.json("inbox", "read", j1.json("inbox", "list", "--unread")["messages"][0]["id"])
    said["closed"] = j1.json(*move, "acknowledge", to.referral, "--preset", "1m")
    said["who"] = j1.json("audit", "who", to.case)
    return to


def test_both_are_admitted_and_know_each_other(journey: Journey) -> None:
    names = {one["name"]["ja"] for one in journey.j1.json("agency", "list")["agencies"]}
    assert names == {J1, S1}
    assert journey.j1.json("agency", "show")["state"] == "active"


def test_without_a_form_nothing_goes(journey: Journey) -> None:
    error = journey.said["before any form"]["error"]
    assert error["code"] == "consent-refused"
    assert {(part["reason"], part["remedy"]) for part in error["parts"]} == {("NO_CONSENT", "ask_consent")}


def test_what_was_not_ticked_does_not_go(journey: Journey) -> None:
    parts = journey.said["sensitive"]["error"]["parts"]
    assert [(part["category"], part["reason"]) for part in parts] == [("health", "CATEGORY_NOT_COVERED")]
    assert parts[0]["reason_label"] == "This category is not covered"
    assert parts[0]["remedy_label"]


def test_the_refusal_is_told_part_by_part_to_a_person_too(journey: Journey) -> None:
    said = ("--purpose", "saimu_seiri", "--part", "identity=x")
    told = journey.j1.type("referral", "send", journey.case, "--to", S1, *said, "--lang", "ja", code=3).stderr
    assert "目的への同意がありません" in told
    assert "本人確認情報 (identity)" in told


def test_the_receiver_reads_what_was_previewed(journey: Journey) -> None:
    permitted = [one["category"] for one in journey.said["preview"]["decisions"] if one["outcome"] == "permitted"]
    parts = journey.said["read"]["parts"]
    assert [part["category"] for part in parts] == permitted
    assert "架空田 一郎" in parts[0]["text"]
    assert journey.said["inbox"]["messages"][0]["read_at"] is None


def test_reading_moves_the_referral_to_received(journey: Journey) -> None:
    assert journey.said["after reading"]["state"] == "received"


def test_the_referral_comes_to_its_end(journey: Journey) -> None:
    states = [journey.said[name]["state"] for name in ("accepted", "started", "reported", "closed")]
    assert states == ["accepted", "in_progress", "outcome_reported", "closed"]


def test_the_sealed_outcome_comes_back(journey: Journey) -> None:
    assert journey.said["outcome"]["parts"][0]["text"] == "貸付が決まりました"


def test_the_follow_up_was_decided_with_the_acknowledgement(journey: Journey) -> None:
    waiting = journey.j1.json("follow-up", "list")["follow_ups"]
    assert [one["referral"] for one in waiting] == [journey.referral]
    done = ("--channel", "telephone", "--asked", "person", "--result", "connected")
    finished = journey.j1.json("follow-up", "done", journey.referral, str(waiting[0]["n"]), *done)
    assert finished["follow_ups"][0]["result"] == "connected"


def test_the_accompaniment_is_there(journey: Journey) -> None:
    shown = journey.j1.json("accompany", "list", journey.referral)["accompaniments"]
    assert [(one["result"], one["minutes"]) for one in shown] == [("application_accepted", 45)]


def test_the_person_can_be_told_who_received_what(journey: Journey) -> None:
    j1, s1 = journey.j1.id, journey.s1.id
    told = [(one["from"], one["to"], one["opened"]) for one in journey.said["who"]["disclosures"]]
    assert told == [(j1, s1, True), (s1, j1, True)]
    assert journey.said["who"]["disclosures"][1]["categories"] == ["support_record"]


def test_every_disclosure_is_proved(journey: Journey) -> None:
    for one in journey.said["who"]["disclosures"]:
        by_id = journey.j1.json("audit", "proof", one["entry"])
        by_number = journey.j1.json("audit", "proof", str(one["index"]))
        assert by_id["entry"]["kind"] == by_number["entry"]["kind"] == "message:accepted"
    assert journey.j1.json("audit", "checkpoint")["size"] > 0


def test_the_doctor_finds_nothing(journey: Journey) -> None:
    told = journey.j1.json("doctor")
    assert told["ok"]
    assert {one["state"] for one in told["findings"]} == {"ok"}


def test_keys_are_rotated_and_the_work_goes_on(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    office = journey.s1
    with monkeypatch.context() as at_once:
        at_once.setattr(keystore, "LEAD", timedelta())
        store = keystore.open_keystore(office.folder, PASSPHRASE)
        store.rotate(KeyUse.CLIENT, now=system_clock(), passphrase=PASSPHRASE)
    # a connection key that never reached the hub opens no door, and is published with the one before
    assert "did not admit" in office.type("task", "list", code=1).stderr
    assert [one["use"] for one in office.json("keys", "publish")["published"]] == ["client"]
    for use in ("client", "sig", "enc"):
        published = office.json("keys", "rotate", "--use", use)["published"]
        assert [one["use"] for one in published] == [use]
    assert office.json("keys", "publish")["published"] == []
    assert "begins at" in office.type("keys", "rotate", "--use", "sig", code=1).stderr
    assert office.json("referral", "show", journey.referral)["state"] == "closed"


def test_the_case_moves_and_is_noted(journey: Journey) -> None:
    moved = journey.j1.json("case", "step", journey.case, "3", "--reason", "already_done")
    assert moved["step"] == "3"
    assert journey.j1.json("case", "note", journey.case, "contact_attempt", "--channel", "telephone")["entry"]
    shown = journey.j1.json("case", "show", journey.case)
    assert (shown["person"]["name"], shown["standing"]["step"]) == ("架空田 一郎", "3")


def test_tasks_are_listed(journey: Journey) -> None:
    assert isinstance(journey.j1.json("task", "list")["tasks"], list)


def test_what_the_person_takes_back_no_longer_goes(journey: Journey) -> None:
    journey.j1.json("consent", "withdraw", journey.case)
    assert {one["state"] for one in journey.j1.json("consent", "list", journey.case)["consents"]} == {"withdrawn"}
    said = ("--purpose", "koguchi_shikin", "--part", "identity=x")
    error = journey.j1.json("referral", "send", journey.case, "--to", S1, *said, code=3)["error"]
    assert [part["reason"] for part in error["parts"]] == ["WITHDRAWN"]


def test_a_folder_without_its_passphrase_opens_nothing(journey: Journey, tmp_path: Path) -> None:
    stranger = Office(folder=journey.j1.folder, secret=tmp_path / "passphrase")
    stranger.secret.write_text("somebody else's passphrase", encoding="utf-8")
    stranger.secret.chmod(0o600)
    assert "passphrase is wrong" in stranger.type("case", "show", journey.case, code=1).stderr


def test_rounds_go_on_until_they_are_stopped(journey: Journey) -> None:
    words = [
        "sync",
        "--loop",
        "--json",
        "--folder",
        str(journey.s1.folder),
        "--passphrase-file",
        str(journey.s1.secret),
    ]
    loop = subprocess.Popen(
        [sys.executable, "-m", "connectors.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert loop.stdout is not None
    assert json.loads(loop.stdout.readline())["pushed"]["waiting"] == 0
    loop.send_signal(signal.SIGINT)
    out, err = loop.communicate(timeout=60)
    assert loop.returncode == 0, err
    assert all(json.loads(line)["pushed"]["settled"] == [] for line in out.splitlines())


def test_a_case_is_closed_with_its_ground_and_the_decision_on_follow_up(journey: Journey) -> None:
    person = journey.j1.json("person", "add", "--name", "架空田 二郎")["id"]
    case = journey.j1.json("case", "open", person)["case"]
    closing = ("case", "step", case, "13", "--reason", "already_done", "--ground", "improved")
    moved = journey.j1.json(*closing, "--no-follow-up-reason", "not_needed")
    assert (moved["step"], moved["state"]) == ("13", "closed")
    assert moved["closed_at"]
