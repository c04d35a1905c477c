# SPDX-License-Identifier: Apache-2.0
"""Each of the guideline's steps by itself, done by people at their desks around a real hub.

Steps ⑦ and ⑧ are in `test_meetings`. Nobody here touches an interface of programs: pages are filled in and sent. What
the hub holds is asked afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from typing_extensions import override

from connectors.casebook import compose, files, people, referral_files, statements
from consent.decisions import Reason
from consent.envelope.sealing import PlainPart
from deploy.demo.search import search
from deploy.play.company import Company
from deploy.play.story import Story
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.desk.referring import Referred, form_part
from tests.connectors.desk.stepping import course, go, stands, through
from tests.connectors.desk.test_sheets import DRAWN, adopted, begun, filled, newest
from tests.connectors.desk.test_sheets_asking import ask
from tests.connectors.desk.test_sheets_sharing import received, share
from tests.connectors.sheets.filled import ASSESSMENT, LOOKED, PLAN, REVIEW
from tests.connectors.story import PURPOSE, consent, letter, text
from tests.journeys.test_thirteen_steps import SIGNS, applied, found
from tests.journeys.theatre import Theatre

pytestmark = pytest.mark.slow

TOLD: Final = Story.model_validate(
    {
        "id": "steps",
        "person": "架空川 段階子",
        "agencies": {"J9": "架空市段階相談支援センター", "S9": "架空市段階社会福祉協議会"},
        "hub_party": "J9",
        "events": [{"at": "2026-11-02T09:00", "type": "remark", "from": "J9", "to": "S9"}],
    }
)
PERSON: Final = "架空滝 一段"
MONEY: Final = "かなりあの家計の話"
WORDS: Final = "かなりあの判断の理由"


@dataclass
class Around:
    """The counselling agency's desk and the council's, around the hub."""

    company: Company
    centre: Office
    council: Office
    staff: dict[str, str]

    @property
    def ours(self) -> Browser:
        """Somebody of the counselling agency who has just signed in."""
        return self.centre.browser(self.staff["J9"])

    @property
    def theirs(self) -> Browser:
        return self.council.browser(self.staff["S9"])

    def round(self, **by: float) -> None:
        """Let time pass, the hub do what is due, and both agencies make a round."""
        self.company.wait_until(self.company.clock.at + timedelta(**by or {"minutes": 1}))
        for _ in range(2):
            for office in (self.centre, self.council):
                self.company.stage.settle()
                office.connector.sync()
        # the hub counts microseconds within a moment; what it took in holds from the next one
        self.company.wait_until(self.company.clock.at + timedelta(seconds=1))

    def case(self) -> str:
        """Open a case of a person who has come; the hub knows its handle."""
        connector, case, person = self.centre.connector, str(uuid.uuid4()), str(uuid.uuid4())
        pen = connector.pen(self.staff["J9"])
        with connector.casebook.transaction() as book:
            people.register_person(book, person=person, name=PERSON, kana="カクウ", staff=pen.staff, now=pen.now)
            people.open_case(book, handle=case, person=person, owner=connector.agency, staff=pen.staff, now=pen.now)
            files.open_file(book, pen, case=case, on=connector.now().date(), worker=pen.staff)
            people.announce(book, case, now=pen.now)
        self.round()
        return case

    def agrees(self, case: str, *categories: str, **changes: Any) -> None:
        """Let the person agree that the council learns some categories, for one loan unless said otherwise."""
        consent(self.centre.connector, case, self.council.connector.agency, categories=frozenset(categories), **changes)
        self.round()

    def refer(self, case: str, *parts: PlainPart, **changes: Any) -> Real:
        """Refer the person to the council and let it arrive."""
        connector, me = self.centre.connector, self.staff["J9"]
        asked = replace(letter(case, self.council.connector, *(parts or (form_part(),))), **changes)
        message = connector.send(asked, staff=me)
        with connector.casebook.transaction() as book:
            pen = connector.pen(me)
            referral_files.open_file(book, pen, thread=message, opener=pen.agency, case=case, worker=me, document={})
        self.round()
        referral = max((one for one in connector.hub.referrals() if one.case == case), key=lambda one: one.sent_at).id
        return Real(
            id=referral, case=case, message=message, network=None, office=self.centre, partner=self.council,  # type: ignore[arg-type]
            ours=self.ours, theirs=self.theirs, we=me, they=self.staff["S9"], around=self,
        )  # fmt: skip


@dataclass
class Real(Referred):
    """A referral between the two desks at the real hub."""

    around: Around

    @override
    def round(self) -> None:
        self.around.round()

    @property
    @override
    def state(self) -> str:
        return self.around.centre.connector.hub.referral(self.id).state


@pytest.fixture(scope="module")
def around(theatre: Theatre) -> Iterator[Around]:
    company = theatre.assemble(TOLD)
    desks = {code: Office(actor.connector, apart=True) for code, actor in company.actors.items()}
    staff = {code: desk.hire("仮名 段") for code, desk in desks.items()}
    made = Around(company, desks["J9"], desks["S9"], staff)
    made.round()
    yield made
    company.stage.settle()
    needles = [TOLD.person, PERSON, MONEY, WORDS, SIGNS, str(ASSESSMENT["chief"]), str(PLAN["goal_now"])]
    assert search(company.stage.settings, needles, company.stage.traces).found == ()


def refused(around: Around, case: str, part: PlainPart, **changes: Any) -> set[Reason]:
    """Try to send something, and give why this desk refuses."""
    with pytest.raises(compose.RefusedHereError) as caught:
        around.refer(case, part, **changes)
    return {decision.reason for _, decision in caught.value.refused}


def words(page: Page, card: str) -> str:
    part = page.html.select_one(f"section[aria-labelledby={card}]")
    assert part is not None, card
    return " ".join(part.get_text(" ").split())


def test_step_1_a_tip_becomes_a_case_and_nothing_that_it_says_goes_onward(around: Around) -> None:
    case = found(around.ours, around.centre)
    around.round()
    assert around.centre.connector.hub.case(case).state == "found"
    assert Reason.NO_CONSENT in refused(around, case, text("consultation", SIGNS))


def test_step_2_after_triage_a_narrow_consent_carries_the_handing_over_and_nothing_more(around: Around) -> None:
    case = around.case()
    through(around.ours, around.centre, case, "2")
    said = {"result": "refer_out", "manner": "together", "words": WORDS}
    page = around.ours.send(around.ours.get(f"/cases/{case}/triage"), said, form="main form.card")
    assert "/referrals/new" in page.answer.request.path
    around.round()
    assert around.centre.connector.hub.case(case).state == "referred_out"
    around.agrees(case, "identity", kind="referral_slip")
    assert Reason.CATEGORY_NOT_COVERED in refused(around, case, text("income_assets", MONEY))
    sent = around.refer(case)
    sent.open()
    sent.accept()
    assert sent.state == "accepted"


def test_step_3_the_signed_form_becomes_consents_at_the_hub(around: Around) -> None:
    case = around.case()
    through(around.ours, around.centre, case, "2")
    applied(around.ours, case)
    around.round()
    hub = around.centre.connector.hub
    assert (hub.case(case).step, hub.case(case).state) == ("3", "applied")
    assert [one.case for one in hub.consents(case)]


def test_step_4_urgent_help_has_its_own_clock_and_needs_no_plan(around: Around) -> None:
    case = around.case()
    around.agrees(case, "identity")
    page = around.ours.get(f"/cases/{case}/urgent")
    around.ours.send(page, {"route": "food", "words": WORDS}, form="main form.card")
    around.round()
    assert around.centre.connector.hub.case(case).step == "4"
    assert "食料" in around.ours.get(f"/cases/{case}").words
    sent = around.refer(case, urgency="same_day")
    assert (sent.state, around.centre.connector.hub.referral(sent.id).urgency) == ("requested", "same_day")


def test_step_5_a_partner_is_asked_within_consent_and_strengths_stand_beside_problems(around: Around) -> None:
    case = around.case()
    around.agrees(case, "identity", "consultation", "income_assets", "support_record")
    sent = around.refer(case)
    sent.open()
    sent.accept()
    begun(sent.ours, case, "assessment")
    assert ask(sent, fields=["income_own", "chief"]).status == 200
    assert "本人の収入(月額・円) ご存じのことを" in received(sent).words
    assert ask(sent, fields=["illness"]).status == 422
    filled(sent.ours, case, "assessment", ASSESSMENT)
    shown = sent.ours.get(f"/cases/{case}")
    assert str(ASSESSMENT["strengths"]) in words(shown, "h-strength")
    assert "アセスメントシートから" in words(shown, "h-problem")


def test_step_6_a_plan_is_signed_and_shared_part_by_part(around: Around) -> None:
    case = around.case()
    around.agrees(case, "identity", "support_record")
    sent = around.refer(case)
    sent.open()
    sent.accept()
    filled(sent.ours, case, "plan", PLAN)
    plan = newest(around.centre, case, "plan")
    signed = sent.ours.post(f"/sheets/{plan.id}/sign", {"method": "pad", "signer": "self", "strokes": DRAWN})
    assert signed.status == 200
    assert share(sent, plan).status == 200
    told = received(sent).words
    assert PLAN["goal_now"] in told
    assert PLAN["problems"] not in told, "the person did not agree that the council learns of their worries"


def test_step_9_a_service_that_nobody_gives_is_a_gap_until_somebody_takes_it_on(around: Around) -> None:
    case = around.case()
    around.agrees(case, "identity", "support_record", purposes=frozenset({"kakei_kaizen"}))
    adopted(around.centre, around.ours, case)
    assert "まだつないでいません" in words(around.ours.get(f"/cases/{case}"), "h-team")
    sent = around.refer(case, purpose="kakei_kaizen")
    sent.open()
    sent.accept()
    services = around.ours.get(f"/cases/{case}").html.select("section[aria-labelledby=h-team] li")
    budget = next(one for one in services if "家計" in one.get_text())
    assert "架空市段階社会福祉協議会" in budget.get_text()
    assert "まだつないでいません" not in budget.get_text()


def test_step_10_a_look_that_the_plan_promised_is_overdue_until_it_was_taken(around: Around) -> None:
    case = around.case()
    day = (around.centre.connector.now() + timedelta(days=3)).date()
    filled(around.ours, case, "plan", {**PLAN, "monitoring": [{"on": day.isoformat(), "indicator": "通えた日数"}]})
    plan = newest(around.centre, case, "plan")
    around.ours.post(f"/sheets/{plan.id}/sign", {"method": "pad", "signer": "self", "strokes": DRAWN})
    around.ours.post(f"/sheets/{plan.id}/adopt", {"meeting_on": "令和8年4月22日"})
    around.round(days=5)
    assert "過ぎています" in words(around.ours.get(f"/cases/{case}"), "h-looks")
    today = around.centre.connector.now().date().isoformat()
    assert filled(around.ours, case, "monitoring", {**LOOKED, "on": today}).status == 200
    assert "過ぎています" not in words(around.ours.get(f"/cases/{case}"), "h-looks")


def test_step_11_a_review_says_what_was_reached_and_what_changed(around: Around) -> None:
    case = around.case()
    adopted(around.centre, around.ours, case)
    today = around.centre.connector.now().date().isoformat()
    done = filled(around.ours, case, "review", {**REVIEW, "reviewed_on": today})
    assert done.status == 200, done.faults
    review = newest(around.centre, case, "review")
    assert (review.state, review.n, review.answers["changes"]) == ("settled", 1, ["income", "work"])
    through(around.ours, around.centre, case, "11")
    around.round()
    assert around.centre.connector.hub.case(case).state == "evaluating"
    assert "就労収入の増加" in around.ours.get(f"/sheets/{review.id}").words


def test_step_12_after_a_re_plan_the_old_purpose_is_refused_here_and_ended_at_the_hub(around: Around) -> None:
    case = around.case()
    around.agrees(case, "identity", "support_record")
    sent = around.refer(case)
    sent.open()
    sent.accept()
    first = adopted(around.centre, around.ours, case)
    ours = around.ours
    ours.get(f"/sheets/{first.id}")
    page = ours.post(f"/sheets/{first.id}/next", {"change": "re_plan"})
    assert page.status == 200, page.words
    second = newest(around.centre, case, "plan")
    assert (second.n, second.change) == (2, "re_plan")
    with around.centre.connector.casebook.transaction() as book:
        old = frozenset(one.record.id for one in statements.consents_of(book, case))
    kept = {"kind": "plan", "supersedes": old, "purposes": frozenset({"kakei_kaizen"})}
    around.agrees(case, "identity", "support_record", **kept)
    assert refused(around, case, text("support_record", WORDS), purpose=PURPOSE) == {Reason.SUPERSEDED}
    assert around.centre.connector.hub.referral(sent.id).content_stopped
    assert around.refer(case, purpose="kakei_kaizen").state == "requested"


def test_step_13_contact_is_lost_only_after_tries_and_who_comes_again_begins_anew(around: Around) -> None:
    case = around.case()
    box = around.ours.get(f"/cases/{case}/close").html.select_one("input[value=lost_contact]")
    assert box is not None
    assert box.has_attr("disabled")
    for channel, days in (("telephone", 7), ("visit", 7), ("telephone", 1)):
        page = around.ours.get(f"/cases/{case}/attempts")
        around.ours.send(page, {"channel": channel, "made": "no", "text": WORDS}, form="main form.card")
        around.round(days=days)
    said = {"reason": "lost_contact", "words": WORDS, "follow": "no", "no_follow_up_reason": "not_possible"}
    around.ours.send(around.ours.get(f"/cases/{case}/close"), said, form="main form")
    around.round()
    last = around.centre.connector.hub.case(case).history[-1]
    assert (last.step, last.state, last.closure_ground) == ("13", "closed", "lost_contact")
    assert stands(around.centre, case) == ("13", "closed")
    assert not course(around.centre, case).refused
    assert go(around.ours, around.centre, case, step="9").status == 422
