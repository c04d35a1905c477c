# SPDX-License-Identifier: Apache-2.0
"""Sheets of a case: kept while they are written, settled, signed, adopted; the plan before holds no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import plans, sheet_definitions, sheets, tables
from connectors.casebook.drafts import Turn
from connectors.casebook.sheets import AMENDMENT, NEW_VERSION, RE_PLAN, Sheet, SheetFaultyError
from connectors.casebook.statements import Pen
from connectors.sheets.definitions import DefinitionError
from connectors.sync.connector import Connector
from tests.connectors.sheets.filled import NATIONAL, PLAN, TRIAGE
from tests.connectors.sheets.test_definitions import OWN
from tests.connectors.story import STAFF, open_case

MET = {"meeting_on": "2026-04-22"}


class Book:
    """A case's sheets with the pen in hand."""

    def __init__(self, connection: Connection, pen: Pen, case: str) -> None:
        self.connection, self.pen, self.case = connection, pen, case

    def settled(self, code: str, body: dict[str, Any]) -> Sheet:
        made = sheets.begin(self.connection, self.pen, case=self.case, code=code)
        sheets.keep_draft(self.connection, self.pen, made.id, body)
        return sheets.settle(self.connection, self.pen, made.id)

    def sign(self, sheet: Sheet, **said: Any) -> Sheet:
        facts = {"method": "paper", "signer": "self", "signed_on": date(2026, 4, 20), "media": "image/png", "pages": 1}
        return plans.sign(self.connection, self.pen, sheet.id, scan=b"drawn", **{**facts, **said})

    def adopted(self, sheet: Sheet, after: dict[str, Any] | None = None) -> Sheet:
        return plans.adopt(self.connection, self.pen, self.sign(sheet).id, MET if after is None else after)

    def next(self, sheet: Sheet, change: str, **body: Any) -> Sheet:
        made = sheets.begin_from(self.connection, self.pen, sheet.id, change=change)
        sheets.keep_draft(self.connection, self.pen, made.id, {**made.body, **body})
        return sheets.settle(self.connection, self.pen, made.id)

    def state(self, sheet: Sheet) -> str:
        return sheets.sheet(self.connection, sheet.id).state


@contextmanager
def _book(connector: Connector) -> Iterator[Book]:
    case = open_case(connector)
    with connector.casebook.transaction() as connection:
        yield Book(connection, connector.pen(STAFF), case)


@contextmanager
def _refused(code: str) -> Iterator[None]:
    with pytest.raises(ConnectorError) as refused:
        yield
    assert refused.value.code == code
    assert refused.value.says("ja") != refused.value.says("en")


def test_a_draft_is_kept_as_it_was_written_and_settled_in_one_form(j1: Connector) -> None:
    with _book(j1) as book:
        made = sheets.begin(book.connection, book.pen, case=book.case, code="triage")
        kept = sheets.keep_draft(book.connection, book.pen, made.id, {**TRIAGE, "check_on": "令和8年5月1日"})
        assert kept.state == "draft"
        assert kept.body["check_on"] == "令和8年5月1日"
        settled = sheets.settle(book.connection, book.pen, made.id)
        assert settled.state == "settled"
        assert settled.body["check_on"] == "2026-05-01"
        assert settled.settled_by == STAFF
        assert sheets.holding(book.connection, book.case, "triage") == settled
        assert [one.id for one in sheets.sheets_of(book.connection, book.case)] == [made.id]


def test_a_late_save_does_not_undo_a_later_one(j1: Connector) -> None:
    with _book(j1) as book:
        made = sheets.begin(book.connection, book.pen, case=book.case, code="triage")
        for number, words in ((2, "あとの文"), (1, "前の文")):
            turn = Turn(page="a" * 24, number=number)
            sheets.keep_draft(book.connection, book.pen, made.id, {"words": words}, turn=turn)
        assert sheets.sheet(book.connection, made.id).body == {"words": "あとの文"}


def test_what_is_not_filled_in_is_not_settled_and_stays_as_it_was(j1: Connector) -> None:
    with _book(j1) as book:
        made = sheets.begin(book.connection, book.pen, case=book.case, code="triage", body={"words": "途中"})
        with pytest.raises(SheetFaultyError) as refused:
            sheets.settle(book.connection, book.pen, made.id)
        assert {one.field for one in refused.value.faults} >= {"route", "screening"}
        assert sheets.sheet(book.connection, made.id).body == {"words": "途中"}


def test_what_is_settled_never_changes_and_a_new_version_takes_its_place(j1: Connector) -> None:
    with _book(j1) as book:
        old = book.settled("triage", TRIAGE)
        with _refused("sheet-settled"):
            sheets.keep_draft(book.connection, book.pen, old.id, {})
        with _refused("sheet-settled"):
            sheets.drop(book.connection, book.pen, old.id)
        new = book.next(old, NEW_VERSION, words="もう一度聞いた")
        assert (book.state(old), new.state, new.before) == ("replaced", "settled", old.id)
        assert sheets.sheet(book.connection, old.id).body == old.body
        with _refused("sheet-not-settled"):
            sheets.begin_from(book.connection, book.pen, old.id)


def test_a_draft_can_be_thrown_away(j1: Connector) -> None:
    with _book(j1) as book:
        made = sheets.begin(book.connection, book.pen, case=book.case, code="triage")
        sheets.drop(book.connection, book.pen, made.id)
        with _refused("sheet-unknown"):
            sheets.sheet(book.connection, made.id)


def test_the_next_version_is_begun_once(j1: Connector) -> None:
    with _book(j1) as book:
        old = book.settled("triage", TRIAGE)
        sheets.begin_from(book.connection, book.pen, old.id)
        with _refused("sheet-next-there"):
            sheets.begin_from(book.connection, book.pen, old.id)
        with _refused("sheet-change-unfit"):
            sheets.begin_from(book.connection, book.pen, old.id, change=RE_PLAN)


def test_a_case_or_a_form_that_is_not_here_is_refused(j1: Connector) -> None:
    with _book(j1) as book:
        with _refused("case-unknown"):
            sheets.begin(book.connection, book.pen, case="nowhere", code="triage")
        with _refused("sheet-definition-unknown"):
            sheets.begin(book.connection, book.pen, case=book.case, code="horoscope")


def test_a_plan_is_adopted_when_the_person_signed_and_the_meeting_was(j1: Connector) -> None:
    with _book(j1) as book:
        plan = book.settled("plan", PLAN)
        assert plan.n == 1
        with _refused("plan-not-signed"):
            plans.adopt(book.connection, book.pen, plan.id, MET)
        signed = book.sign(plan)
        assert signed.signature is not None
        assert signed.signature.digest == plans.digest_of(plan)
        with _refused("sheet-signed"):
            book.sign(plan)
        with _refused("plan-no-meeting"):
            plans.adopt(book.connection, book.pen, plan.id, {})
        with _refused("plan-returned"):
            plans.adopt(book.connection, book.pen, plan.id, {**MET, "decision": "returned"})
        with _refused("sheet-faulty"):
            plans.adopt(book.connection, book.pen, plan.id, {"meeting_on": "いつか"})
        with _refused("sheet-not-settled"):
            plans.note_after(book.connection, book.pen, plan.id, MET)
        adopted = plans.adopt(book.connection, book.pen, plan.id, MET)
        assert (adopted.state, dict(adopted.after)) == ("adopted", MET)
        noted = plans.note_after(
            book.connection, book.pen, plan.id, {"decision": "decided", "meeting_on": "2026-01-01"}
        )
        assert noted.answers["decision"] == "decided"
        assert noted.answers["meeting_on"] == "2026-04-22"


@pytest.mark.parametrize("said", [{"method": "stamp"}, {"signer": "neighbour"}])
def test_a_signature_of_another_kind_is_refused(j1: Connector, said: dict[str, str]) -> None:
    with _book(j1) as book:
        plan = book.settled("plan", PLAN)
        with _refused("sheet-not-to-sign"):
            book.sign(plan, **said)


def test_only_what_is_settled_and_has_a_place_for_it_is_signed(j1: Connector) -> None:
    with _book(j1) as book:
        with _refused("sheet-not-to-sign"):
            book.sign(book.settled("triage", TRIAGE))
        with _refused("sheet-not-settled"):
            book.sign(sheets.begin(book.connection, book.pen, case=book.case, code="plan"))


def test_a_re_plan_is_the_next_plan_and_the_old_one_holds_until_it_is_adopted(j1: Connector) -> None:
    with _book(j1) as book:
        first = book.adopted(book.settled("plan", PLAN))
        with _refused("plan-there"):
            sheets.begin(book.connection, book.pen, case=book.case, code="plan")
        second = book.next(first, RE_PLAN, goal_now="家計を立て直す")
        assert (second.n, second.change, book.state(first)) == (2, RE_PLAN, "adopted")
        with _refused("sheet-next-there"):
            sheets.begin_from(book.connection, book.pen, first.id, change=AMENDMENT)
        assert sheets.holding(book.connection, book.case, "plan") == first
        with _refused("plan-no-meeting"):
            book.adopted(second, {})
        plans.adopt(book.connection, book.pen, second.id, MET)
        assert book.state(first) == "replaced"


def test_an_amendment_stays_the_same_plan_and_needs_no_meeting_of_its_own(j1: Connector) -> None:
    with _book(j1) as book:
        first = book.adopted(book.settled("plan", PLAN))
        amended = book.next(first, AMENDMENT, goal_now="週に3回通う")
        again = book.next(amended, NEW_VERSION, goal_now="週に1回から通う")
        assert (again.n, again.change, book.state(amended)) == (1, AMENDMENT, "replaced")
        adopted = book.adopted(again, {})
        assert (adopted.n, adopted.state, book.state(first)) == (1, "adopted", "replaced")
        with _refused("sheet-change-unfit"):
            sheets.begin_from(book.connection, book.pen, adopted.id, change=NEW_VERSION)


def test_a_review_belongs_to_the_plan_that_holds(j1: Connector) -> None:
    with _book(j1) as book:
        book.adopted(book.settled("plan", PLAN))
        assert sheets.begin(book.connection, book.pen, case=book.case, code="review").n == 1


def test_own_fields_and_later_versions_are_kept_as_data_and_old_sheets_are_read_by_their_own(j1: Connector) -> None:
    with _book(j1) as book:
        old = sheets.begin(book.connection, book.pen, case=book.case, code="assessment")
        sheet_definitions.keep_overlay(book.connection, book.pen, OWN)
        later = {**NATIONAL.newest("assessment").document, "version": "2027-04"}
        sheet_definitions.keep_definition(book.connection, book.pen, later)
        new = sheets.begin(book.connection, book.pen, case=book.case, code="assessment")
        assert (old.version, new.version) == ("2026-11", "2027-04+kakuu-shi-1")
        assert sheets.definition_of(book.connection, old).field("own_pet") is None
        assert sheets.definition_of(book.connection, new).field("own_pet") is not None


def test_a_version_that_is_here_is_never_rewritten(j1: Connector) -> None:
    with _book(j1) as book:
        changed = {**NATIONAL.newest("plan").document, "ja": "別の名前"}
        with _refused("sheet-definition-changed"):
            sheet_definitions.keep_definition(book.connection, book.pen, changed)
        sheet_definitions.keep_overlay(book.connection, book.pen, OWN)
        sheet_definitions.keep_overlay(book.connection, book.pen, OWN)
        with _refused("sheet-definition-changed"):
            sheet_definitions.keep_overlay(book.connection, book.pen, {**OWN, "options": []})
        with _refused("sheet-definition-unknown"):
            sheet_definitions.keep_overlay(book.connection, book.pen, {**OWN, "sheet": "horoscope"})


def test_a_later_version_without_a_place_for_the_own_fields_is_refused(j1: Connector) -> None:
    with _book(j1) as book:
        sheet_definitions.keep_overlay(book.connection, book.pen, OWN)
        document = NATIONAL.newest("assessment").document
        without = [one for one in document["sections"] if one["code"] != "home"]
        with pytest.raises(DefinitionError):
            sheet_definitions.keep_definition(
                book.connection, book.pen, {**document, "version": "2027-04", "sections": without}
            )


def test_what_is_done_with_a_sheet_is_logged_and_what_it_says_is_not(j1: Connector) -> None:
    with _book(j1) as book:
        book.adopted(book.settled("plan", PLAN))
        rows = book.connection.execute(sa.select(tables.access_log)).all()
        assert {"sheet:begun", "sheet:settled", "sheet:signed", "sheet:adopted"} <= {row.action for row in rows}
        assert PLAN["goal_now"] not in str(rows)
