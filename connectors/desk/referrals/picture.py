# SPDX-License-Identifier: Apache-2.0
"""Everything that the page of one referral shows, read from the casebook in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import charge, conversation, deeds, directory, journal, marks, mirror, preview, statements
from connectors.casebook.conversation import Held
from connectors.casebook.deeds import Deed
from connectors.desk.cases import reads as cases
from connectors.desk.cases.reads import PersonBar
from connectors.desk.referrals import reads, rules, timeline
from connectors.desk.referrals.moves import MOVES, Move, Setting
from connectors.desk.referrals.reads import Row
from connectors.desk.referrals.rules import Next, Step
from connectors.desk.referrals.timeline import Entry
from connectors.desk.staff import reads as staff
from connectors.desk.web.visits import Role, Visit
from connectors.sdk.threads import ReferralDetail
from consent.calendar import day_of
from consent.decisions import ConsentBasis, Permitted, Refused

_ROLE: Final = "staff-role:"
_ACTIVE: Final = "active"
_REVIEW: Final = timedelta(days=14)
_PREFERRED: Final[Mapping[str, tuple[str, ...]]] = {
    "ask": ("consultation", "support_record", "identity"),
    "reply": ("consultation", "support_record", "identity"),
}
_OTHERWISE: Final = ("support_record", "consultation", "identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something the hub did not take: the queued row, the parts it refused, what happened before it arrived."""

    deed: Deed
    decisions: tuple[Mapping[str, Any], ...] = ()
    since: tuple[Entry, ...] = ()

    @property
    def event(self) -> str:
        """Give the move, or the kind of row where it is none."""
        return str(self.deed.said.get("event", self.deed.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """One category of which the other side has something: when it was sent last, and whether somebody opened it."""

    category: str
    opened: bool
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A consent record that the referral rests on now."""

    id: str
    signed_at: datetime
    until: datetime
    purposes: tuple[str, ...]
    partners: tuple[str, ...]
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A referral with all that a page says of it. `detail` is none where the hub's full word is not here yet."""

    row: Row
    detail: ReferralDetail | None
    bar: PersonBar
    sides: frozenset[str]
    next: Next
    messages: Sequence[Held] = ()
    entries: tuple[Entry, ...] = ()
    steps: tuple[Step, ...] = ()
    offered: tuple[Move, ...] = ()
    actions: frozenset[str] = frozenset()
    waiting: tuple[Refusal, ...] = ()
    refused: tuple[Refusal, ...] = ()
    visible: tuple[Visible, ...] = ()
    grounds: tuple[Ground, ...] = ()
    agencies: Mapping[str, str] = field(default_factory=dict)
    staff: Mapping[str, str] = field(default_factory=dict)
    decline: Mapping[str, Any] | None = None


def picture(connection: Connection, visit: Visit, referral: str) -> Picture:
    """Put together the page of a referral, and log that this person looked.

    *Raises* `ConnectorError("referral-unknown")`; `NeedToKnowError` as `cases.reads.person_bar`.
    """
    site, agency = visit.site, visit.site.connector.agency
    row = reads.row_of(
        connection, referral, agency=agency, language=visit.language, now=visit.at, calendar=site.calendar
    )
    bar = bar_of(connection, visit, row)
    detail = mirror.detail_of(connection, referral)
    names = {one.id: one.name_ja if visit.language == "ja" else one.name_en for one in directory.agencies(connection)}
    sides = _sides(row, detail, agency)
    if detail is None:
        nothing = Next(key="not-here", action=None, ours=False)
        return Picture(row=row, detail=None, bar=bar, sides=sides, next=nothing, agencies=names)
    sources = _sources(connection, visit, detail)
    reached, planned = timeline.reached(sources)
    waiting, refused = _queued(connection, detail, sources.messages)
    actions = frozenset() if waiting else frozenset(detail.actions)
    entries = timeline.timeline(sources)
    people_named = {one.staff for one in entries if one.staff} | {
        str(fact.value) for one in entries for fact in one.facts if fact.kind == "worker"
    }
    return Picture(
        row=row,
        detail=detail,
        bar=bar,
        sides=sides,
        messages=sources.messages,
        entries=entries,
        steps=rules.steps(reached, planned, is_over=detail.state in rules.FINAL),
        next=rules.next_step(detail.state, sides, asked=row.asked, actions=actions),
        offered=tuple(MOVES[event] for event in detail.actions if event in MOVES and event in actions),
        actions=actions,
        waiting=waiting,
        refused=refused,
        visible=_visible(detail),
        grounds=_grounds(connection, visit, detail),
        agencies=names,
        staff=staff.names_of(
            connection, people_named | {one for one in (row.worker, detail.worker) if one is not None}
        ),
        decline=_decline(detail),
    )


def bar_of(connection: Connection, visit: Visit, row: Row) -> PersonBar:
    """Give the identity bar, of a case too of which only a message speaks.

    *Raises* `NeedToKnowError`.
    """
    charge.know_case(connection, row.case, owner=row.sender, now=visit.at)
    return cases.person_bar(connection, visit, row.case)


def setting_of(connection: Connection, visit: Visit, detail: ReferralDetail, event: str) -> Setting:
    """Give what the form of a move is read against."""
    own = visit.site.connector.agency
    return Setting(
        today=visit.today,
        sent_on=day_of(detail.sent_at),
        calendar=visit.site.calendar,
        workers=[member.id for member in workers(connection)],
        agencies=[code for code, _ in other_agencies(connection, visit, besides=(own,))],
        permitted=permitted(may_say(connection, visit, detail), event),
        content_stopped=detail.content_stopped,
        visited=timeline.was_visited(detail),
    )


def may_say(
    connection: Connection, visit: Visit, detail: ReferralDetail
) -> tuple[tuple[str, Permitted | Refused], ...]:
    """Decide what the other side may be told now; nothing where we are no side of it or do not know the other."""
    agency = visit.site.connector.agency
    if agency not in {detail.sender, detail.recipient}:
        return ()
    try:
        return conversation.may_say(connection, detail, agency=agency, now=visit.at)
    except ConnectorError:
        return ()


def permitted(decided: Sequence[tuple[str, Permitted | Refused]], event: str) -> list[str]:
    """Give the categories that may be told, the one that fits a move's words first."""
    allowed = [category for category, answer in decided if isinstance(answer, Permitted)]
    wish = _PREFERRED.get(event, _OTHERWISE)
    return sorted(allowed, key=lambda one: wish.index(one) if one in wish else len(wish))


def workers(connection: Connection) -> list[Any]:
    """Give whoever may be put in charge of a person."""
    return [one for one in staff.colleagues(connection) if one.roles & {Role.CASEWORKER, Role.SUPERVISOR}]


def other_agencies(connection: Connection, visit: Visit, *, besides: Collection[str]) -> list[tuple[str, str]]:
    """Give the agencies that may be suggested, by id and name."""
    known = directory.agencies(connection)
    said = [(one.id, one.name_ja if visit.language == "ja" else one.name_en) for one in known if one.state == _ACTIVE]
    return [one for one in said if one[0] not in besides]


def presets(connection: Connection, visit: Visit, offered: Sequence[Move]) -> dict[str, str]:
    """Give what the fields of forms begin with: me, my last role, the next business day."""
    known = {
        "me": visit.me.id,
        "role": marks.recall(connection, _ROLE + visit.me.id) or "counsellor",
        "today": visit.today.isoformat(),
        "next": visit.site.calendar.next_business_day(visit.today).isoformat(),
        "review": (visit.today + _REVIEW).isoformat(),
    }
    return {move.name_of(one): known.get(one.known, one.known) for move in offered for one in move.fields if one.known}


def remember_role(connection: Connection, visit: Visit, role: str) -> None:
    """Remember in which role somebody acted last, for the next form."""
    marks.remember(connection, _ROLE + visit.me.id, role)


def _sides(row: Row, detail: ReferralDetail | None, agency: str) -> frozenset[str]:
    coordinates = detail is not None and detail.coordinator == agency
    return frozenset({row.side, rules.COORDINATOR} if coordinates else {row.side})


def _sources(connection: Connection, visit: Visit, detail: ReferralDetail) -> timeline.Sources:
    agency = visit.site.connector.agency
    return timeline.Sources(
        detail=detail,
        messages=conversation.messages_of(connection, detail),
        quotes=conversation.quotes_of(connection, detail, agency),
        journal=journal.of_referral(connection, detail.id),
        agency=agency,
        today=visit.today,
    )


def _queued(
    connection: Connection, detail: ReferralDetail, messages: Sequence[Held]
) -> tuple[tuple[Refusal, ...], tuple[Refusal, ...]]:
    """Give what waits for the hub and what it refused: moves of this referral, and messages of its thread."""
    ours = {one.id for one in messages if one.state in {"waiting", "refused"}}
    waiting = [Refusal(deed=deed) for deed in deeds.waiting_about(connection, detail.id) if deed.what in deeds.KINDS]
    refused = [
        Refusal(
            deed=deed,
            decisions=tuple(one for one in deed.answer.get("decisions", ()) if one.get("outcome") == "refused"),
            since=timeline.since(detail, int(deed.said.get("version", detail.version))),
        )
        for deed in deeds.refused(connection)
        if deed.about == detail.id or (deed.what == "message" and deed.about in ours)
    ]
    return tuple(waiting), tuple(refused)


def _visible(detail: ReferralDetail) -> tuple[Visible, ...]:
    found: dict[str, Visible] = {}
    for one in detail.deliveries:
        for part in one.parts:
            before = found.get(part.category)
            stopped = one.delivery in {"refused", "destroyed"} and (before is None or before.stopped)
            opened = one.opened_at is not None or (before is not None and before.opened)
            found[part.category] = Visible(category=part.category, opened=opened, stopped=stopped)
    return tuple(found.values())


def _grounds(connection: Connection, visit: Visit, detail: ReferralDetail) -> tuple[Ground, ...]:
    categories = list(dict.fromkeys(part.category for one in detail.deliveries for part in one.parts))
    try:
        decided = preview.preview(
            connection,
            case=detail.case,
            sender=detail.sender,
            recipient=detail.recipient,
            purpose=detail.purpose,
            categories=categories or list(detail.categories),
            basis=ConsentBasis(),
            now=visit.at,
        )
    except ConnectorError:
        return ()
    rests_on = {answer.scope for _, answer in decided if isinstance(answer, Permitted)}
    return tuple(
        Ground(
            id=one.record.id,
            signed_at=one.record.signed_at,
            until=one.record.valid_until,
            purposes=tuple(sorted(one.record.purposes)),
            partners=tuple(sorted(one.record.partners)),
            signature=one.record.signature,
        )
        for one in statements.consents_of(connection, detail.case)
        if one.record.id in rests_on
    )


def _decline(detail: ReferralDetail) -> Mapping[str, Any] | None:
    if detail.state not in {"declined", "reroute_review", "rerouted"}:
        return None
    return next((move.facts for move in reversed(detail.history) if move.event == "decline"), None)
