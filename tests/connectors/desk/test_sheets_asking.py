# SPDX-License-Identifier: Apache-2.0
"""A partner is asked for what an assessment lacks, within what the person agreed to, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.casebook import sheets
from tests.connectors.desk.office import Office, Page
from tests.connectors.desk.referring import Referred, refer
from tests.connectors.desk.test_sheets import begun, newest
from tests.connectors.desk.test_sheets_sharing import received
from tests.connectors.story import Network


@pytest.fixture
def asked(network: Network, office: Office, partner: Office) -> Referred:
    """A referral that was accepted, of a case whose assessment is being written."""
    made = refer(network, office, partner)
    made.open()
    made.accept()
    begun(made.ours, made.case, "assessment")
    return made


def ask(one: Referred, **said: Any) -> Page:
    sheet = newest(one.office, one.case, "assessment")
    page = one.ours.get(f"/sheets/{sheet.id}/ask/{one.id}")
    done = one.ours.send(page, said, form="form[action*='/ask/']")
    one.round()
    return done


def test_what_is_not_answered_is_ticked_and_what_the_person_keeps_to_themselves_is_not(asked: Referred) -> None:
    sheet = newest(asked.office, asked.case, "assessment")
    with asked.office.connector.casebook.transaction() as connection:
        pen = asked.office.connector.pen("test")
        sheets.keep_draft(
            connection, pen, sheet.id, {"income_own": "120000", "savings.unasked": "not_wished", "history": "前に一度"}
        )
    page = asked.ours.get(f"/sheets/{sheet.id}/ask/{asked.id}")
    boxes = {str(one["value"]): one.has_attr("checked") for one in page.html.select("[name=fields]")}
    assert (boxes["income_own"], boxes["savings"], boxes["history"]) == (False, False, False)
    assert boxes["income_household"]
    assert "illness" not in boxes
    assert "健康・医療" in page.words
    assert "この項目への同意がありません" in page.words


def test_the_partner_reads_the_questions_and_answers_in_the_thread(asked: Referred) -> None:
    assert asked.ours.get(f"/sheets/{newest(asked.office, asked.case, 'assessment').id}/ask").status == 200
    ask(asked, fields=["income_own", "chief"])
    words = received(asked).words
    assert "本人の収入(月額・円) ご存じのことを" in words
    assert "主訴・本人の希望 ご存じのことを" in words
    assert "預貯金" not in words


def test_what_may_not_be_asked_is_refused_and_nothing_goes(asked: Referred) -> None:
    for fields in (["illness"], ["income_own", "illness"], ["nothing"], []):
        page = ask(asked, fields=fields)
        assert (page.status, page.faults) == (422, ["fields"])
    with asked.office.connector.casebook.transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM messages WHERE kind = 'question'").scalar_one() == 0


def test_other_sheets_ask_nobody_and_other_referrals_are_not_found(asked: Referred) -> None:
    sheet = newest(asked.office, asked.case, "assessment")
    assert asked.ours.get(f"/sheets/{sheet.id}/ask/nowhere").status == 404
    begun(asked.ours, asked.case, "plan")
    assert asked.ours.get(f"/sheets/{newest(asked.office, asked.case, 'plan').id}/ask").status == 404
