# SPDX-License-Identifier: Apache-2.0
"""Where every page of the desk is visited, with real data: one visit or more for each GET endpoint of the url map.

An endpoint without places in its rule is visited by itself; every other one stands in `VISITS`, or in `UNSEEN` with the
reason why there is nothing to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from werkzeug.routing import Rule

from connectors.desk.app import build_desk
from tests.pages.scenes import Scene

UNSEEN: Final[Mapping[str, str]] = {
    "static": "stylesheets, scripts and icons: looked at with the pages that ask for them",
    "intakes.draft_scan": "a file",
    "intakes.scan": "a file",
    "intakes.new": "makes a draft and leads to it (intakes.draft)",
    "outings.photo": "a file",
    "decisions.decision": "only around a municipality, which this town lacks (tests/connectors/desk/test_decisions.py)",
    "decisions.notice": "as decisions.decision",
    "referrals.part": "a file",
    "referrals.part_picture": "a file",
    "sending.file": "a file",
    "sheets.signature": "a file",
    "staff.enter": "signs in and leads on",
    "staff.language": "sets a cookie and leads on",
    "staff.set_up": "only while nobody works at the desk: a desk of its own (tests/connectors/desk/test_first_run.py)",
}
"""GET endpoints that show no page, and why."""


_FILE: Final = re.compile(r"[.](csv|xlsx|json|ics|<kind>)$")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One look at a page: its endpoint, a name for the picture, where it is, who looks, what is answered."""

    endpoint: str
    name: str
    path: str
    who: str = "worker"
    desk: str = "centre"
    status: int = 200


@dataclass(frozen=True)
class _At:
    path: Callable[[Scene], str]
    who: str = "worker"
    desk: str = "centre"
    status: int = 200
    name: str = ""


def _of(plot: str, rule: str) -> Callable[[Scene], str]:
    return lambda scene: rule.format(case=scene.case(plot), referral=scene.referral(plot))


def _kept(name: str, rest: str = "") -> Callable[[Scene], str]:
    return lambda scene: scene.urls[name] + rest


def _signed(rule: str) -> Callable[[Scene], str]:
    return lambda scene: rule.format(case=scene.urls["signed case"])


VISITS: Final[Mapping[str, tuple[_At, ...]]] = {
    "agencies.agency": (_At(lambda scene: f"/agencies/{scene.town['council'].connector.agency}"),),
    "board.put_off": (_At(lambda scene: f"/board/put-off?about=referral:{scene.referral('question')}"),),
    "cases.case": (
        _At(_of("follow_up_late", "/cases/{case}")),
        _At(_of("follow_up_late", "/cases/{case}"), who="colleague", status=403, name="reason"),
    ),
    "cases.course": (_At(_of("follow_up_late", "/cases/{case}/course")),),
    "cases.threads": (_At(_of("follow_up_late", "/cases/{case}/referrals")),),
    "path.application": (_At(_of("follow_up_late", "/cases/{case}/application")),),
    "path.attempts": (_At(_of("follow_up_late", "/cases/{case}/attempts")),),
    "path.close": (_At(_of("follow_up_late", "/cases/{case}/close")),),
    "path.decision": (_At(_of("follow_up_late", "/cases/{case}/decision")),),
    "path.reopen": (_At(_of("follow_up_late", "/cases/{case}/reopen")),),
    "path.triage": (_At(_of("follow_up_late", "/cases/{case}/triage")),),
    "path.urgent": (_At(_of("follow_up_late", "/cases/{case}/urgent")),),
    "cases.search": (_At(lambda _: "/search?q=架空"),),
    "consents.receipt": (_At(_kept("receipt")),),
    "consents.person": (_At(_signed("/cases/{case}/person")),),
    "consents.statement": (_At(_of("follow_up_late", "/cases/{case}/statement")),),
    "consents.provision_record": (_At(_of("follow_up_late", "/cases/{case}/provisions")),),
    "consents.case_consents": (_At(_signed("/cases/{case}/consents")),),
    "consents.exclude": (_At(_signed("/cases/{case}/exclusions/new")),),
    "consents.allow_again": (_At(_kept("exclusion")),),
    "consents.notice": (_At(_kept("notice"), who="council", desk="council"),),
    "consents.notices": (_At(lambda _: "/notices", who="council", desk="council"),),
    "consents.withdraw": (_At(_signed("/cases/{case}/withdraw")),),
    "consents.withdraw_confirm": (_At(_signed("/cases/{case}/withdraw/confirm?what=all&channel=telephone")),),
    "consents.sample": (_At(_kept("sample")),),
    "consents.taken": (_At(_kept("taken")),),
    "corrections.new": (_At(_kept("correcting")), _At(_kept("correcting all"), name="choose")),
    "corrections.correction": (_At(_kept("correction")),),
    "corrections.case_corrections": (_At(_of("follow_up_late", "/cases/{case}/corrections")),),
    "emergencies.new": (_At(_of("ending", "/emergencies/new?case={case}")),),
    "emergencies.emergency": (_At(_kept("emergency"), who="chief"),),
    "exchange.import_": (
        _At(_kept("import columns"), name="columns"),
        _At(_kept("import check"), name="check"),
    ),
    "exchange.record": (_At(_of("follow_up_late", "/cases/{case}/record")),),
    "finding.tip": (_At(_kept("tip")),),
    "finding.thanks": (_At(lambda _: "/tell/thanks", who="nobody"),),
    "finding.tell": (_At(lambda _: "/tell", who="nobody"),),
    "followups.new": (_At(_of("visiting_today", "/followups/{referral}/new")),),
    "followups.record": (_At(_kept("follow-up")),),
    "inbox.item": (
        _At(_of("incoming_urgent", "/inbox/{referral}"), name="closed"),
        _At(_of("incoming_old", "/inbox/{referral}"), name="opened"),
    ),
    "intakes.draft": (_At(_kept("intake draft")),),
    "intakes.paper": (_At(_kept("intake draft", "/paper")),),
    "intakes.check": (_At(_kept("intake check")),),
    "intakes.intake": (_At(_kept("intake")),),
    "meetings.new": (
        _At(lambda _: "/meetings/new", name="coordination"),
        _At(lambda _: "/conferences/new", name="conference"),
    ),
    "meetings.meeting": (
        _At(_kept("meeting"), name="coordination"),
        _At(_kept("conference"), name="conference"),
        _At(_kept("invitation"), who="council", desk="council", name="invited"),
    ),
    "meetings.of_case": (_At(_signed("/cases/{case}/meetings")),),
    "meetings.give": (_At(lambda scene: f"/conferences/{scene.urls['conference at the hub']}/words/new"),),
    "meetings.line": (_At(_kept("line")),),
    "meetings.paper": (_At(_kept("line", "/paper")),),
    "resources.resource": (_At(_kept("resource")),),
    "office.leave": (_At(_kept("colleague", "/leave")),),
    "office.person": (_At(_kept("colleague")),),
    "office.rotate": (_At(lambda _: "/office/keys/enc/rotate"),),
    "outings.new": (_At(_of("visiting_today", "/referrals/{referral}/accompany")),),
    "outings.outing": (_At(_kept("outing")),),
    "referrals.referral": (
        _At(_of("late_unread", "/referrals/{referral}"), name="late"),
        _At(_of("question", "/referrals/{referral}"), name="question"),
        _At(_of("declined_other", "/referrals/{referral}"), name="declined"),
        _At(_of("follow_up_late", "/referrals/{referral}"), name="served"),
        _At(_of("withdrawn", "/referrals/{referral}"), name="withdrawn"),
    ),
    "referrals.move": (
        _At(_of("outcome", "/referrals/{referral}/moves/acknowledge"), name="acknowledge"),
        _At(_of("late_unread", "/referrals/{referral}/moves/cancel"), name="cancel"),
        _At(_of("incoming_old", "/referrals/{referral}/moves/decline"), name="decline"),
    ),
    "referrals.message": (_At(_kept("message")),),
    "referrals.write": (_At(_of("question", "/referrals/{referral}/write")),),
    "referrals.contact": (_At(_of("question", "/referrals/{referral}/journal")),),
    "sending.new": (
        _At(lambda _: "/referrals/new?q=架空", name="person"),
        _At(_of("ending", "/referrals/new?case={case}"), name="purpose"),
        _At(_of("declined_other", "/referrals/new?from={referral}"), name="onward"),
    ),
    "sending.sent": (_At(_kept("sent")),),
    "sending.slip": (_At(_kept("slip")),),
    "sending.step": tuple(
        _At(_kept("draft", f"/{step}"), name=step)
        for step in ("purpose", "recipient", "categories", "content", "dates", "check")
    ),
    "sheets.case_sheets": (_At(_of("question", "/cases/{case}/sheets")),),
    "sheets.sheet": (_At(_kept("assessment"), name="assessment"), _At(_kept("plan"), name="plan")),
    "sheets.edit": (_At(_kept("triage", "/edit")),),
    "sheets.blank": (_At(lambda _: "/sheets/paper/review"),),
    "sheets.paper": (_At(_kept("plan", "/paper")),),
    "sheets.sign": (_At(_kept("second plan", "/sign")),),
    "sheets.share": (_At(_kept("assessment", "/share")),),
    "sheets.share_in": (_At(lambda scene: f"{scene.urls['assessment']}/share/{scene.referral('question')}"),),
    "sheets.ask": (_At(_kept("assessment", "/ask")),),
    "sheets.ask_in": (_At(lambda scene: f"{scene.urls['assessment']}/ask/{scene.referral('question')}"),),
    "sheets.adopt": (_At(_kept("plan", "/adopt")),),
    "staff.sign_in": (_At(lambda _: "/signin", who="nobody"),),
    "staff.join": (
        _At(lambda _: "/join", who="nobody", name="invitation"),
        _At(lambda _: "/join", who="invited", name="password"),
    ),
    "staff.locked": (_At(lambda _: "/locked", who="locked"),),
}
"""How to see the pages that need something of their own."""

FAULTS: Final = (
    Visit(endpoint="", name="fault-404", path="/nothing-here", status=404),
    Visit(endpoint="", name="fault-unknown", path="/referrals/00000000-0000-4000-8000-000000000000", status=404),
)
"""Pages that say what went wrong; they belong to no endpoint."""


@cache
def pages() -> Mapping[str, Rule]:
    """Give every endpoint that answers GET with a page; whose address ends like a file's name gives a file."""
    return {
        rule.endpoint: rule
        for rule in build_desk().url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not _FILE.search(rule.rule)
    }


def forgotten() -> list[str]:
    """Name the endpoints that nobody visits and no reason is given for."""
    known = {*VISITS, *UNSEEN}
    return sorted(end for end, rule in pages().items() if end not in known and rule.arguments)


def visits(scene: Scene) -> Iterator[Visit]:
    """Give every look at a page: at each endpoint that the desk has, and at the pages that say what went wrong."""
    for endpoint, rule in sorted(pages().items()):
        if endpoint in UNSEEN:
            continue
        for at in VISITS.get(endpoint, (_At(lambda _, rule=rule: str(rule.rule)),)):
            name = endpoint.replace(".", "-") + (f"-{at.name}" if at.name else "")
            path = at.path(scene).removeprefix(scene.town[at.desk].url)
            yield Visit(endpoint=endpoint, name=name, path=path, who=at.who, desk=at.desk, status=at.status)
    yield from FAULTS
