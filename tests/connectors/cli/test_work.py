# SPDX-License-Identifier: Apache-2.0
"""What the commands do besides the straight way: line down, later, narrowed, refused by the hub, files in and out."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.cli import doctor, letters
from connectors.sdk.problems import problem_of
from connectors.testing.seat import Seat
from consent.calendar import day_of
from tests.connectors.cli.office import Office, Town

SEND = ("--purpose", "koguchi_shikin")


def send(office: Office, case: str, to: Office, *words: str, code: int = 0):
    return office.json("referral", "send", case, "--to", to.id, *SEND, *words, code=code)


def states(office: Office, case: str) -> set[str]:
    return {one["state"] for one in office.json("consent", "list", case, "--later")["consents"]}


@pytest.fixture
def case(j1: Office, s1: Office) -> str:
    made = j1.open_case(income="なし")
    j1.consent(made, s1.id)
    return made


# ── the hub is away ──


def test_a_message_written_while_the_line_is_down_goes_out_later(town: Town, j1: Office, s1: Office, case: str) -> None:
    town.hub.away = True
    told = j1.type("referral", "send", case, "--to", s1.id, *SEND, "--json", code=4)
    assert json.loads(told.stdout)["sent"] is False
    assert "goes out with `tsunagi sync`" in told.stderr
    town.hub.away = False
    assert j1.json("sync")["pushed"]["settled"][0]["what"] == "message"
    assert s1.json("sync")["collected"][0]["outcome"] == "opened"


def test_what_needs_the_hub_is_not_done_without_it(town: Town, j1: Office, case: str) -> None:
    town.hub.away = True
    told = j1.type("meeting", "list", code=4)
    assert "was not done" in told.stderr
    assert told.stdout == ""
    assert j1.json("sync", code=4)["error"]["code"] == "hub-away"


def test_lists_show_what_is_known_while_the_hub_is_away(town: Town, j1: Office, s1: Office) -> None:
    town.hub.away = True
    told = j1.type("agency", "list", "--json")
    assert len(json.loads(told.stdout)["agencies"]) == 2
    assert "this is what is known here" in told.stderr


def test_later_means_that_the_hub_is_not_asked(town: Town, j1: Office, s1: Office) -> None:
    case = j1.open_case()
    town.hub.away = True
    j1.consent(case, s1.id, "--later")
    assert send(j1, case, s1, "--later")["sent"] is False
    assert states(j1, case) == {"waiting"}
    town.hub.away = False
    assert [one["what"] for one in j1.json("sync")["pushed"]["settled"]] == ["consent", "status", "message"]
    assert states(j1, case) == {"live"}


# ── what may go ──


def test_a_preview_shows_the_text_that_would_be_sent(j1: Office, s1: Office, case: str) -> None:
    told = j1.type("referral", "preview", case, "--to", s1.id, *SEND, "--lang", "ja").stdout
    assert "氏名: 架空田 一郎" in told
    assert "相手の様式で必要な項目がまだ書かれていません" in told


def test_each_refused_part_is_told_with_its_remedy(j1: Office, s1: Office, case: str) -> None:
    told = j1.type(
        "referral", "send", case, "--to", s1.id, *SEND, "--part", "identity=x", "--part", "health=y", code=3
    ).stderr
    assert "Health and medical (health): This category is not covered →" in told
    assert "(identity)" not in told


def test_only_what_is_allowed_goes_when_asked_so(j1: Office, s1: Office, case: str) -> None:
    parts = ("--part", "identity=x", "--part", "health=y")
    told = j1.type("referral", "send", case, "--to", s1.id, *SEND, *parts, "--only-allowed", "--json")
    assert json.loads(told.stdout)["categories"] == ["identity"]
    assert "Health and medical" in told.stderr
    none = j1.type(
        "referral", "send", case, "--to", s1.id, *SEND, "--part", "health=y", "--only-allowed", code=1
    ).stderr
    assert "No part may go" in none


def test_a_narrowed_referral_carries_only_the_named_categories(j1: Office, s1: Office, case: str) -> None:
    assert send(j1, case, s1, "--category", "contact", "--category", "収入・資産・家計")["categories"] == [
        "contact",
        "income_assets",
    ]


def withdrawn_elsewhere(town: Town, j1: Office, case: str) -> None:
    consent = j1.json("consent", "list", case)["consents"][0]["id"]
    Seat(town.hub, j1.id).withdraw(consent)


def test_a_message_that_waited_too_long_is_refused_with_its_reasons(
    town: Town, j1: Office, s1: Office, case: str
) -> None:
    message = send(j1, case, s1, "--part", "identity=x", "--later")["message"]
    withdrawn_elsewhere(town, j1, case)
    told = j1.type("sync", code=3).stdout
    assert message in told
    assert "Withdrawn →" in told


def test_what_went_wrong_earlier_is_told_beside_what_goes_well(town: Town, j1: Office, s1: Office, case: str) -> None:
    message = send(j1, case, s1, "--part", "identity=x", "--later")["message"]
    withdrawn_elsewhere(town, j1, case)
    other = j1.json("person", "add", "--name", "架空田 二郎")["id"]
    assert f"sent earlier: message ({message})" in j1.type("case", "open", other).stderr


def test_the_hub_refuses_what_this_agency_thought_allowed(
    town: Town, j1: Office, s1: Office, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn_elsewhere(town, j1, case)
    monkeypatch.setattr(letters, "learn", lambda *_: None)
    error = send(j1, case, s1, "--part", "identity=x", code=3)["error"]
    assert error["code"] == "consent-refused-by-hub"
    assert [part["reason"] for part in error["parts"]] == ["WITHDRAWN"]


def test_what_is_forbidden_is_not_sent_until_the_person_says_so(j1: Office, s1: Office, case: str) -> None:
    forbidden = j1.json("consent", "exclude", case, "--to", "shakyo", "--category", "identity", "--words", "言わないで")
    error = send(j1, case, s1, "--part", "identity=x", code=3)["error"]
    assert [part["reason"] for part in error["parts"]] == ["EXCLUDED_BY_SUBJECT"]
    assert j1.json("consent", "list", case)["exclusions"][0]["revoked_at"] is None
    j1.json("consent", "revoke-exclusion", case, forbidden["exclusion"])
    assert j1.json("consent", "list", case)["exclusions"][0]["revoked_at"]
    assert send(j1, case, s1, "--part", "identity=x")["sent"]


def test_a_part_of_a_consent_is_taken_back(j1: Office, s1: Office, case: str) -> None:
    j1.json("consent", "withdraw", case, "--category", "contact", "--to", s1.id)
    assert states(j1, case) == {"live"}
    error = send(j1, case, s1, "--part", "contact=x", code=3)["error"]
    assert [part["reason"] for part in error["parts"]] == ["WITHDRAWN"]


# ── forms ──


def test_a_form_is_looked_at_before_it_is_recorded(j1: Office, s1: Office) -> None:
    case = j1.open_case()
    until = day_of(j1.around.clock() + timedelta(days=60)).isoformat()
    said = ("--partner", s1.id, "--partner", "bengoshi", "--purpose", "koguchi_shikin", "--purpose", "saimu_seiri")
    told = j1.json("form", "record", case, *said, "--tick", f"{s1.id}:health", "--until", until, "--dry-run")
    assert told["recorded"] is False
    by_partner = {one["partner"]: one for one in told["records"]}
    assert by_partner[s1.id]["purposes"] == ["koguchi_shikin"]
    assert by_partner["bengoshi"]["purposes"] == ["saimu_seiri"]
    assert "health" in by_partner[s1.id]["categories"]
    assert "health" not in by_partner["bengoshi"]["categories"]
    assert j1.json("consent", "list", case)["consents"] == []
    shown = j1.type("form", "record", case, *said, "--until", until, "--dry-run", "--lang", "ja").stdout
    assert f"{until} まで(その日を含む)" in shown


def test_what_was_struck_and_what_was_ticked_stands_in_the_record(j1: Office, s1: Office) -> None:
    case = j1.open_case()
    made = j1.consent(case, s1.id, "--tick", "健康・医療", "--strike", "debt_arrears")
    categories = made["records"][0]["categories"]
    assert "health" in categories
    assert "debt_arrears" not in categories
    assert j1.json("consent", "show", made["records"][0]["id"])["evidence"]


def test_a_new_form_replaces_the_old_one(j1: Office, s1: Office, case: str) -> None:
    old = j1.json("consent", "list", case)["consents"][0]["id"]
    new = j1.consent(case, s1.id, "--replace")["records"][0]["id"]
    shown = {one["id"]: one["state"] for one in j1.json("consent", "list", case)["consents"]}
    assert shown == {old: "superseded", new: "live"}


def test_an_oral_consent_needs_no_paper_and_ends_by_itself(town: Town, j1: Office, s1: Office) -> None:
    case = j1.open_case()
    said = ("--partner", s1.id, "--purpose", "koguchi_shikin", "--kind", "oral", "--signature", "oral_pending")
    j1.json("form", "record", case, *said)
    assert states(j1, case) == {"live"}
    town.pass_time(timedelta(days=15))
    assert states(j1, case) == {"unsigned"}


def test_a_status_that_is_due_is_given_anew(town: Town, j1: Office, case: str) -> None:
    before = j1.json("consent", "status", case)["consents"][0]["status_as_of"]
    town.pass_time(timedelta(hours=13))
    assert j1.json("consent", "status", case)["consents"][0]["status_as_of"] > before


# ── what came in ──


def test_an_attachment_is_saved_for_its_reader_alone(j1: Office, s1: Office, case: str, tmp_path: Path) -> None:
    paper = tmp_path / "家計.pdf"
    paper.write_bytes(b"%PDF-1.7 \x00\xff fictional")
    message = send(j1, case, s1, "--part", f"income_assets=@{paper}")["message"]
    s1.json("sync")
    read = ("inbox", "read", message)
    shown = s1.json(*read)["parts"][0]
    assert (shown["media"], shown["text"]) == ("application/pdf", None)
    saved = Path(s1.json(*read, "--save", str(tmp_path / "out"))["saved"][0])
    assert saved.read_bytes() == paper.read_bytes()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert "not overwritten" in s1.type(*read, "--save", str(tmp_path / "out"), code=1).stderr


def test_what_a_stranger_wrote_does_not_steer_the_terminal(j1: Office, s1: Office, case: str) -> None:
    message = send(j1, case, s1, "--part", "consultation=\x1b[2Jwiped")["message"]
    s1.json("sync")
    assert "\x1b" not in s1.type("inbox", "read", message).stdout


def test_an_inbox_tells_what_is_new(j1: Office, s1: Office, case: str) -> None:
    assert "Nothing has come in" in s1.type("inbox", "list").stdout
    message = send(j1, case, s1)["message"]
    s1.json("sync")
    assert message in s1.type("inbox", "list", "--unread").stdout
    s1.json("inbox", "read", message)
    assert s1.json("inbox", "list", "--unread")["messages"] == []


def test_a_reply_goes_back_in_the_same_thread(j1: Office, s1: Office, case: str) -> None:
    sent = send(j1, case, s1)
    s1.json("sync")
    s1.json("inbox", "read", sent["message"])
    reply = s1.json("referral", "reply", sent["referral"], "--part", "support_record=面談しました")
    assert reply["referral"] == sent["referral"]
    j1.json("sync")
    assert j1.json("inbox", "read", reply["message"])["parts"][0]["text"] == "面談しました"


# ── files in and out ──


def test_people_go_out_and_come_in_again(town: Town, j1: Office, s1: Office, tmp_path: Path) -> None:
    names = [("髙﨑 試", "たかさき ためし"), ("𠮷田 架空", "よしだ かくう"), ("=仮名", "")]
    for name, kana in names:
        j1.json("person", "add", "--name", name, "--kana", kana)
    out = tmp_path / "people.csv"
    j1.json("export", "people", "--to", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    text = out.read_text(encoding="utf-8")
    assert "'=仮名" in text
    rows = "\n".join(",".join(line.split(",")[1:3]) for line in text.splitlines())
    table = tmp_path / "in.csv"
    table.write_text("\ufeff" + rows, encoding="utf-8")
    assert len(s1.json("import", "people", str(table))["added"]) == 3
    assert s1.json("import", "people", str(table)) == {"added": [], "skipped": 3}
    assert [one["name"] for one in s1.json("person", "find", "高崎")["people"]] == ["髙﨑 試"]
    assert {one["name"] for one in s1.json("export", "people")["people"]} == {name for name, _ in names}
    assert "not overwritten" in j1.type("export", "people", "--to", str(out), code=1).stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("氏名\n架空".encode("cp932"), "is not UTF-8"),
        ("名前の列\n架空\n".encode(), "must name the columns"),
        ("氏名,氏名\nあ,い\n".encode(), "must name the columns"),
        (b"", "must name the columns"),
        ("氏名,ふりがな\n架空田 一郎,かくうだ\n,なし\n".encode(), "Row 3 has no name"),
        ("氏名\n架空田 一郎,余り\n".encode(), "Row 2 has no name"),
    ],
)
def test_a_table_that_will_not_do_takes_nobody_in(j1: Office, tmp_path: Path, content: bytes, sentence: str) -> None:
    table = tmp_path / "people.csv"
    table.write_bytes(content)
    assert sentence in j1.type("import", "people", str(table), code=1).stderr
    assert j1.json("export", "people")["people"] == []


def test_a_proof_is_saved_for_others_to_check(j1: Office, s1: Office, case: str, tmp_path: Path) -> None:
    send(j1, case, s1)
    told = j1.json("audit", "who", case)["disclosures"][0]
    proof = tmp_path / "proof.tlog-proof"
    j1.json("audit", "proof", str(told["index"]), "--save", str(proof))
    assert proof.read_text(encoding="utf-8").startswith("c2sp.org/tlog-proof@v1")
    assert "No entry of that number" in j1.type("audit", "proof", "99999", code=1).stderr


# ── keys ──


def test_a_key_made_while_the_hub_went_away_is_published_later(
    town: Town, j1: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = len(j1.json("keys", "list")["keys"])
    publish = type(town.hub).publish

    def away(*_: object, **__: object) -> None:
        town.hub.away = True
        raise problem_of(503, {"code": "unavailable"})

    monkeypatch.setattr(type(town.hub), "publish", away)
    j1.type("keys", "rotate", "--use", "sig", code=1)
    monkeypatch.setattr(type(town.hub), "publish", publish)
    town.hub.away = True
    j1.type("keys", "publish", code=4)
    town.hub.away = False
    assert len(j1.json("keys", "publish")["published"]) == 1
    assert len(j1.json("keys", "list")["keys"]) == held + 1


def test_the_words_of_the_root_key_are_those_at_the_founding(j1: Office) -> None:
    words = j1.json("keys", "fingerprint")["fingerprint"]
    assert {language: len(said) for language, said in words.items()} == {"ja": 12, "en": 12}
    assert j1.type("keys", "fingerprint").stdout.split() == words["en"]


# ── the doctor ──


class Answering:
    """What `/livez` answers."""

    def __init__(self, date: str) -> None:
        self.headers = {"Date": date}


def test_the_doctor_names_what_is_wrong(town: Town, j1: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.requests, "get", lambda *_, **__: Answering("Mon, 06 Jan 2020 00:00:00 GMT"))
    told = {one["check"]: one["state"] for one in j1.json("doctor", code=1)["findings"]}
    assert told["clock"] == "bad"
    assert told["casebook"] == "ok"
    town.pass_time(timedelta(days=340))
    told = {one["check"]: one["state"] for one in j1.json("doctor", code=1)["findings"]}
    assert told["key:sig"] == "warn"


def test_the_doctor_says_that_the_hub_is_away(j1: Office) -> None:
    told = j1.json("doctor", code=4)
    assert {one["state"] for one in told["findings"] if one["check"] == "hub"} == {"away"}


def test_the_doctor_says_what_to_do_without_an_agency(tmp_path: Path, j1: Office) -> None:
    nowhere = Office(folder=tmp_path / "nowhere", secret=j1.secret)
    assert "tsunagi agency init" in nowhere.type("doctor", code=1).stdout
