# SPDX-License-Identifier: Apache-2.0
"""An officer finds who got what about a case, proves each line, takes lines out; nobody sees more than their own."""

import csv
import io
import json
import re
from urllib.parse import unquote_plus

import pytest

from consent.tlog import notes, proofs, tree
from hub.base.errors import HubError
from hub.console.audit import guarded
from hub.staff.rules import Role
from tests.hub.messages.story import new_story


@pytest.fixture
def story(database, jobs_database):
    return new_story(database, jobs_database)


@pytest.fixture
def told(story, sequence):
    """A case in which one message went and one was stopped."""
    story.consent()
    story.send("identity", "income_assets")
    with pytest.raises(HubError):
        story.send("health")
    sequence()
    return story


def rows(looking, query):
    page = looking.soup(f"/console/audit?q={query}")
    return [re.sub(r"\s+", " ", row.get_text(" ")).strip() for row in page.select("tbody tr")]


def test_who_got_what_about_a_case_is_one_search(signed_in, told):
    looking = signed_in()
    looking.get("/console/language/en")
    allowed, refused = (rows(looking, f"case:{told.case}+decision:{word}") for word in ("allow", "deny"))
    assert (len(allowed), len(refused)) == (1, 1)
    assert "→" in allowed[0]
    assert "✓ Identity" in allowed[0]
    assert "Consent" in allowed[0]
    assert "✗" in refused[0]
    assert "This category is not covered" in refused[0]


def test_an_agencys_officer_sees_only_what_the_agency_is_a_party_to(signed_in, told, sequence):
    theirs = signed_in(Role.AGENCY_OFFICER, agency=told.s1.id)
    assert len(rows(theirs, f"case:{told.case}+action:message:accepted")) == 1
    assert rows(theirs, f"case:{told.case}+decision:deny") == []
    stranger = signed_in(Role.AGENCY_OFFICER, agency=told.f1.id)
    assert rows(stranger, f"case:{told.case}") == []
    sequence()
    page = signed_in().soup(f"/console/audit?q=case:{told.case}+action:dpo:read")
    assert len(page.select("tbody tr")) == 3  # each of those searches for the case is itself an entry of it


def test_a_line_of_another_agency_is_not_there_for_an_agencys_officer(signed_in, told):
    officer = signed_in()
    page = officer.soup(f"/console/audit?q=case:{told.case}+decision:deny")
    index = page.select_one("tbody th").get_text()
    assert officer.get(f"/console/audit/{index}").status_code == 200
    stranger = signed_in(Role.AGENCY_OFFICER, agency=told.f1.id)
    for path in (f"/console/audit/{index}", f"/console/audit/{index}/proof"):
        answer = stranger.get(path)
        assert answer.status_code == 404
    export = stranger.get(f"/console/audit/export.jsonl?q=case:{told.case}")
    assert export.data == b""


def test_a_proof_file_is_checked_without_the_hub(signed_in, told, keys):
    looking = signed_in()
    index = looking.soup(f"/console/audit?q=case:{told.case}+decision:allow").select_one("tbody th").get_text()
    answer = looking.get(f"/console/audit/{index}/proof")
    assert f'filename="entry-{index}.tlog-proof"' in answer.headers["Content-Disposition"]
    proof = proofs.read_proof(answer.text)
    (entry,) = [
        json.loads(line)
        for line in looking.get(f"/console/audit/export.jsonl?q=case:{told.case}").text.splitlines()
        if json.loads(line)["index"] == int(index)
    ]
    body = json.dumps(entry["entry"], ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()
    signed = notes.open_checkpoint(proof.checkpoint, notes.Verifier("hub.example/v1/audit", keys.log.public.native))
    proofs.verify_inclusion(
        tree.leaf_hash(body), index=proof.index, size=signed.size, proof=proof.hashes, root=signed.root
    )


@pytest.mark.parametrize("index", [2**62, 2**70, 10_000])
def test_an_entry_that_is_not_there_is_not_found(signed_in, index):
    looking = signed_in()
    assert looking.get(f"/console/audit/{index}").status_code == 404
    assert looking.get(f"/console/audit/{index}/proof").status_code == 404


def test_csv_has_a_row_for_each_line_and_is_itself_logged(signed_in, told, sequence):
    looking = signed_in()
    answer = looking.get(f"/console/audit/export.csv?q=case:{told.case}")
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["kind"] for row in table} >= {"message:accepted", "message:refused", "consent:registered"}
    assert all(row["case"] == told.case for row in table)
    sequence()
    assert len(rows(looking, f"case:{told.case}+action:export:made")) == 1


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell):
    assert guarded(cell) == f"'{cell}"
    assert guarded("case") == "case"


def test_pages_go_on_where_the_one_before_ended(signed_in, story, sequence):
    looking = signed_in()
    for _ in range(60):
        looking.get("/console")
    sequence()
    query = "action:dpo:read"
    seen, path = [], f"/console/audit?q={query}"
    while path:
        page = looking.soup(path)
        seen += [int(row.get_text()) for row in page.select("tbody th")]
        following = page.find("a", rel="next")
        path = following["href"] if following else None
    assert len(seen) >= 60
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize(
    "asked",
    [
        "q=%E6%9E%B6%E7%A9%BA%E5%A4%AA%E9%83%8E", "q=case:x", "q=%00", "q=" + "x" * 600, "q=case:%27;drop",
        "before=-1", "before=x", "before=%EF%BC%91", "before=" + "9" * 30, "q=%ff",
    ],
)  # fmt: skip
def test_bad_searches_are_refused_say_what_to_do_and_repeat_nothing(signed_in, asked):
    looking = signed_in()
    answer = looking.get(f"/console/audit?{asked}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    for typed in ("架空太郎", "%E6%9E%B6", "drop", "xxxx"):
        assert typed not in answer.text
    form = looking.get(f"/console/audit/export.csv?{asked}") if asked.startswith("q=") else None
    assert form is None or form.status_code == 400


def test_the_form_beside_the_search_makes_the_same_words(signed_in):
    looking = signed_in()
    case = "01890000-0000-7000-8000-00000000000a"
    answer = looking.get(f"/console/audit/build?case={case}&decision=allow&since=2026-11-01&agency=&until=")
    assert answer.status_code == 303
    assert unquote_plus(answer.location) == f"/console/audit?q=case:{case} created:>=2026-11-01 decision:allow"
    wrong = looking.get("/console/audit/build?case=架空")
    assert wrong.location.endswith("fault=value-not-id")
    assert 'role="alert"' in looking.get(wrong.location).text
    assert 'role="alert"' not in looking.get("/console/audit?fault=anything").text


def test_a_search_by_actor_finds_what_they_did(signed_in, told, sequence):
    looking = signed_in()
    assert len(rows(looking, f"actor:{told.j1.id}+decision:deny")) == 1
    assert rows(looking, f"actor:{told.s1.id}+decision:deny") == []
    assert len(rows(looking, f"actor:{told.j1.id}+agency:{told.s1.id}+action:message:accepted")) == 1
