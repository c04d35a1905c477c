# SPDX-License-Identifier: Apache-2.0
"""A town for the desks: fictional people of all kinds of names, and referrals in every state, some of them late.

Real connectors do it at the real hub, whose clock is led through the last weeks, so that what is late is really late.
Everybody and everything is in `town.json`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.casebook import deeds, forms, people, referrals, statements
from connectors.casebook import files as case_files
from connectors.casebook.compose import Letter
from connectors.desk.staff import service as staff
from connectors.desk.web.visits import Role
from connectors.sync.connector import Connector
from consent.calendar import JST, end_of_day
from consent.envelope.manifest import MessageKind
from consent.envelope.sealing import PlainPart
from consent.forms import Form, Row, generic_template, split
from consent.receipts import WithdrawalRecord
from deploy.play.company import Actor, Company

_SCAN: Final = b"%PDF-1.7 a fictional form, signed by a fictional person"
_CONSENT_DAYS: Final = 180
_ENDING_DAYS: Final = 24
_URGENT: Final = "incoming_urgent"


@dataclass(kw_only=True)
class Resident:
    """One person of the town, their case and how far their referral has come."""

    said: Mapping[str, Any]
    owner: Actor
    to: Actor
    third: Actor
    case: str = field(default_factory=lambda: str(uuid.uuid4()))
    consents: list[str] = field(default_factory=list)
    message: str = ""
    going: int = 0

    @property
    def plot(self) -> str:
        """Give the name of what happens to them."""
        return str(self.said["plot"])


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One thing that happens: when, to whom, what, and the day it speaks of (as a difference to today)."""

    at: datetime
    resident: Resident
    step: str
    day: int | None


@cache
def town() -> Any:
    """Give the town's people, texts and plots."""
    return json.loads(files("deploy.demo").joinpath("town.json").read_text(encoding="utf-8"))


def needles() -> list[str]:
    """Give what of the town must not be at the hub: every name, reading, telephone and sentence."""
    found = [str(person[name]) for person in town()["people"] for name in ("name", "kana", "telephone")]
    return [*found, *(str(text) for text in town()["texts"].values())]


def hire(actor: Actor) -> list[str]:
    """Take the town's staff of an agency in, once; give their ids, the first of them the demo's own worker."""
    with actor.connector.casebook.transaction() as book:
        now = actor.connector.now()
        return [
            staff.enrol(book, login=f"worker{n}", name=name, team="", roles=frozenset(Role), by="demo", now=now)[0]
            for n, name in enumerate(town()["staff"][actor.code], start=1)
        ]


def residents_of(company: Company, plots: Collection[str] | None = None) -> list[Resident]:
    """Give the town's people; with `plots` the first person of each of these."""
    everybody = [_resident(company, person) for person in town()["people"]]
    if plots is None:
        return everybody
    first = {one.plot: one for one in reversed(everybody)}
    return [first[plot] for plot in plots]


def fill(
    company: Company, hired: Mapping[str, Sequence[str]], now: datetime, residents: Sequence[Resident] | None = None
) -> int:
    """Let the last weeks of the town happen to these people, or to all; give how many things did."""
    residents = residents_of(company) if residents is None else residents
    beats = sorted((beat for one in residents for beat in _beats(one, now)), key=lambda beat: beat.at)
    for beat in beats:
        company.introduced_at = max(company.introduced_at, beat.at)  # nobody new joins in these weeks
        company.wait_until(beat.at)
        _STEPS[beat.step](beat, hired)
    for actor in {id(one): one for resident in residents for one in (resident.owner, resident.to)}.values():
        actor.connector.sync()
    return len(beats)


def _resident(company: Company, said: Mapping[str, Any]) -> Resident:
    owner, to = company.troupe[said["owner"]], company.troupe[said["to"]]
    third = next(company.troupe[code] for code in town()["staff"] if code not in {said["owner"], said["to"]})
    return Resident(said=said, owner=owner, to=to, third=third)


def _beats(resident: Resident, now: datetime) -> list[Beat]:
    today = now.astimezone(JST)
    beats = []
    for step, days, hour, *day in town()["plots"][resident.plot]:
        at = (today + timedelta(days=days)).replace(hour=hour, minute=5, second=0, microsecond=0)
        at = min(at, now - timedelta(minutes=5))
        if step == "send":  # what was signed must be registered, by the hub's clock, before a message rests on it
            beats.append(Beat(at=at - timedelta(minutes=20), resident=resident, step="sign", day=None))
        beats.append(Beat(at=at, resident=resident, step=step, day=day[0] if day else None))
    return beats


def _worker(beat: Beat, hired: Mapping[str, Sequence[str]], actor: Actor) -> str:
    here = hired[actor.code]
    return here[int(beat.resident.said["worker"]) % len(here)]


def _day(beat: Beat) -> date:
    """Give the day that a step speaks of: so many days from today, where the steps end."""
    first = town()["plots"][beat.resident.plot]
    days = next(row[1] for row in first if row[0] == beat.step)
    return (beat.at.astimezone(JST) - timedelta(days=days) + timedelta(days=beat.day or 0)).date()


# ── what happens ──


def _take_in_and_sign(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Open the case and have the form signed."""
    _take_in(beat.resident, beat.resident.owner.connector, _worker(beat, hired, beat.resident.owner))


def _send(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Send the referral."""
    one, connector = beat.resident, beat.resident.owner.connector
    who = _worker(beat, hired, one.owner)
    connector.renew_statuses()
    connector.push()
    texts = town()["texts"]
    parts = [
        PlainPart(
            category=category,
            media="text/plain",
            body=(str(one.said["name"]) if category == "identity" else texts[category]).encode(),
        )
        for category in town()["categories"][one.to.code]
    ]
    letter = Letter(
        case=one.case,
        recipient=one.to.agency,
        purpose=one.said["purpose"],
        parts=tuple(parts),
        urgency="same_day" if one.plot == _URGENT else "normal",
        request_kind="interview",
    )
    one.message = connector.send(letter, staff=who)
    connector.push()


def _take_in(one: Resident, connector: Connector, who: str) -> None:
    pen, said = connector.pen(who), one.said
    today = pen.now.astimezone(JST).date()
    with connector.casebook.transaction() as book:
        person = people.register_person(
            book, person=pen.new_id(), name=said["name"], kana=said["kana"], staff=who, now=pen.now
        )
        people.open_case(book, handle=one.case, person=person.id, owner=connector.agency, staff=who, now=pen.now)
        case_files.keep_record(
            book,
            pen,
            person=person.id,
            born_on=date.fromisoformat(said["born"]),
            fields={"sex": said["sex"], "telephone": said["telephone"]},
            phones=[said["telephone"]],
        )
        case_files.open_file(book, pen, case=one.case, on=today, worker=who)
        case_files.caution(book, pen, case=one.case, text=town()["caution"])
        identity = {"name": said["name"], "kana": said["kana"], "birth_date": said["born"]}
        people.write_answers(book, one.case, "identity", identity, staff=who, now=pen.now)
        contact = {"telephone": said["telephone"], "safe_contact": town()["caution"]}
        people.write_answers(book, one.case, "contact", contact, staff=who, now=pen.now)
        one.consents = _sign(book, one, connector, who)
    connector.push()


def _sign(book: Any, one: Resident, connector: Connector, who: str) -> list[str]:
    pen = connector.pen(who)
    days = _ENDING_DAYS if one.plot == "ending" else _CONSENT_DAYS
    evidence = forms.evidence_of(_SCAN)
    categories = frozenset(town()["categories"][one.to.code]) | {"support_record"}
    form = Form(
        id=str(uuid.uuid4()),
        case=one.case,
        kind="intake_form",
        version="2026-04",
        hub_parties=frozenset({connector.agency}),
        purposes=frozenset({str(one.said["purpose"]), "follow_up"}),
        categories=categories,
        rows=(
            Row(
                partner=one.to.agency,
                kind=one.to.connector.kind,
                purposes=frozenset({str(one.said["purpose"]), "follow_up"}),
                categories=categories,
            ),
        ),
        valid_from=pen.now,
        valid_until=end_of_day((pen.now + timedelta(days=days)).astimezone(JST).date()),
        signature="self",
        signed_at=pen.now,
        written_by="person",
        read_aloud=True,
        evidence=evidence.digest,
    )
    return forms.record_form(book, form, split(form, generic_template(), pen.new_id), evidence, pen)


def _read(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Have the receiver collect and open it."""
    connector = beat.resident.to.connector
    who = _worker(beat, hired, beat.resident.to)
    for one in connector.collect():
        if one.results:
            connector.read(one.message, one.sender, staff=who)
    connector.push()


def _move(event: str, side: str, **said: Any) -> Callable[[Beat, Mapping[str, Sequence[str]]], None]:
    """Make a step of a move: which side makes it, and what it says; `None` is filled in by the step."""

    def step(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
        actor = beat.resident.to if side == "to" else beat.resident.owner
        who = _worker(beat, hired, actor)
        today = beat.at.astimezone(JST).date()
        filled = {
            "worker": who,
            "next_on": today + timedelta(days=2),
            "on": today,
            "review_on": today + timedelta(days=14),
            "follow_up": {"on": _day(beat)},
            "other_agency": beat.resident.third.agency,
        }
        words = {name: filled[name] if value is None else value for name, value in said.items()}
        _deed(beat, actor, who, lambda book, pen, seen: deeds.move(
            book, pen, referral=seen.id, event=event, said=words, version=seen.version
        ))  # fmt: skip

    return step


def _deed(beat: Beat, actor: Actor, who: str, queue: Callable[[Any, Any, Any], str]) -> None:
    connector = actor.connector
    connector.push()
    found = next(connector.hub.referrals(case=beat.resident.case), None)
    if found is None:
        return
    seen = connector.hub.referral(found.id)
    with connector.casebook.transaction() as book:
        referrals.keep(book, seen)
        queue(book, connector.pen(who), seen)
    connector.push()


def _ask(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Have the receiver ask: a sealed question in the thread, and the move."""
    one, connector = beat.resident, beat.resident.to.connector
    connector.refresh_case(one.case)
    found = next(connector.hub.referrals(case=one.case))
    who = _worker(beat, hired, one.to)
    question = PlainPart(category="consultation", media="text/plain", body=town()["texts"]["question"].encode())
    letter = Letter(
        case=one.case,
        recipient=one.owner.agency,
        purpose=one.said["purpose"],
        parts=(question,),
        kind=MessageKind.QUESTION,
        referral=found.id,
        thread=found.thread,
    )
    message = connector.send(letter, staff=who)
    _move("ask", "to", message=message)(beat, hired)


def _plan(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Plan to go along."""
    one = beat.resident
    going = {
        "state": "agreed",
        "on": _day(beat),
        "role": "counsellor",
        "destination": one.to.agency,
        "purpose": "apply",
    }
    who = _worker(beat, hired, one.owner)
    _deed(beat, one.owner, who, lambda book, pen, seen: deeds.accompaniment(book, pen, referral=seen.id, going=going))


def _went(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Write down that somebody went along, and what came of it."""
    one = beat.resident
    who = _worker(beat, hired, one.owner)

    def queue(book: Any, pen: Any, seen: Any) -> str:
        last = seen.accompaniments[-1]
        going = {
            "state": "done",
            "on": last.on,
            "role": last.role,
            "destination": last.destination,
            "purpose": last.purpose,
            "minutes": 75,
            "result": "application_accepted",
        }
        return deeds.accompaniment_change(book, pen, referral=seen.id, n=last.n, going=going, version=last.version)

    _deed(beat, one.owner, who, queue)


def _follow_up(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Set a day on which to ask how it went."""
    one = beat.resident
    who, due = _worker(beat, hired, one.owner), _day(beat)
    _deed(beat, one.owner, who, lambda book, pen, seen: deeds.follow_up(book, pen, referral=seen.id, due=due))


def _withdraw(beat: Beat, hired: Mapping[str, Sequence[str]]) -> None:
    """Have the person take everything back."""
    one, connector = beat.resident, beat.resident.owner.connector
    pen = connector.pen(_worker(beat, hired, one.owner))
    record = WithdrawalRecord(
        id=pen.new_id(),
        agency=pen.agency,
        case=one.case,
        scopes=frozenset(one.consents),
        to=frozenset(),
        categories=frozenset(),
        at=pen.now,
    )
    with connector.casebook.transaction() as book:
        statements.withdraw(book, record, pen)
    connector.push()


_STEPS: Final[Mapping[str, Callable[[Beat, Mapping[str, Sequence[str]]], None]]] = {
    "sign": _take_in_and_sign,
    "send": _send,
    "read": _read,
    "ask": _ask,
    "accept": _move("accept", "to", worker=None, worker_role="counsellor", next_on=None),
    "start": _move("start", "to", what="contact_made", on=None),
    "hold": _move("hold", "to", reason="papers", review_on=None),
    "decline_other": _move(
        "decline", "to", decline_by="agency", reason="other_agency_better", suggestion="agency", other_agency=None
    ),
    "decline_full": _move("decline", "to", decline_by="agency", reason="no_capacity", suggestion="think_together"),
    "outcome": _move("report-outcome", "to", outcome="service_started"),
    "acknowledge": _move("acknowledge", "from", follow_up=None),
    "cancel": _move("cancel", "from", reason="other_route"),
    "plan": _plan,
    "went": _went,
    "follow_up": _follow_up,
    "withdraw": _withdraw,
}
"""Every step of the plots."""
