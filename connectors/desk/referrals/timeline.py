# SPDX-License-Identifier: Apache-2.0
"""The timeline of a referral: moves, messages, goings, follow-ups, journal; plans on top, the latest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from connectors.casebook.conversation import Held, Quote
from connectors.casebook.journal import Entry as Written
from connectors.desk.referrals.moves import MOVES
from connectors.sdk import threads
from consent.calendar import start_of_day

_DOTS: Final[Mapping[str, tuple[str, str]]] = {
    "accept": ("check", "in"), "receive": ("eye", "in"), "ask": ("q", "ask"), "decline": ("arrow", "ask"),
    "report-outcome": ("flag", "in"), "acknowledge": ("check", "in"), "start": ("walk", "go"),
    "note-progress": ("pen", ""), "hold": ("clock", "ask"), "cancel": ("cross", ""), "withdraw": ("stop", "ask"),
}  # fmt: skip
_PLANNED: Final = frozenset({"proposed", "agreed"})
_FIRST: Final = "referral"
_ICONS: Final = {"call": "phone", "visit": "walk", "note": "pen", "told": "people"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that an entry says: the name of the field, how its value is shown, the value."""

    name: str
    kind: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline. `kind` chooses the words, `about` their code; a plan has a day in `at`, else a moment.

    `message` (id, sender) leads to a message that can be opened; `unread`: nobody here has opened it yet.
    """

    at: datetime | date
    kind: str
    about: str
    icon: str
    dot: str = ""
    agency: str | None = None
    staff: str | None = None
    facts: tuple[Fact, ...] = ()
    quotes: tuple[Quote, ...] = ()
    text: str = field(default="", repr=False)
    message: tuple[str, str] | None = None
    categories: tuple[str, ...] = ()
    unread: bool = False
    planned: bool = False

    @property
    def order(self) -> datetime:
        """Give the moment by which it is sorted."""
        return self.at if isinstance(self.at, datetime) else start_of_day(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a timeline is made of."""

    detail: threads.ReferralDetail
    messages: Sequence[Held]
    quotes: Mapping[tuple[str, str], tuple[Quote, ...]]
    journal: Sequence[Written]
    agency: str
    today: date


def timeline(sources: Sources) -> tuple[Entry, ...]:
    """Put everything in its order: what is planned on top, then what was, both the latest first."""
    made = [
        *_moves(sources), *_messages(sources), *_arrivals(sources), *_goings(sources), *_follow_ups(sources),
        *_appointment(sources), *_journal(sources),
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (one.planned, one.order), reverse=True))


def facts_of(event: str, said: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Give what a move said, field by field, as the table of moves knows the fields."""
    follow_up = said.get("follow_up")
    flat = {**said, **(follow_up if isinstance(follow_up, Mapping) else {})}
    return tuple(_facts(event, flat))


def _facts(event: str, said: Mapping[str, Any]) -> Iterator[Fact]:
    move = MOVES.get(event)
    for one in move.fields if move else ():
        value = said.get(one.name)
        if value in (None, "", (), []) or one.kind in {"text", "follow_up"}:
            continue
        kind = one.codes if one.kind == "code" else one.kind
        yield Fact(name=one.name, kind=kind, value=date.fromisoformat(str(value)) if one.kind == "day" else value)
    # as the hub names them once they are kept, and as the form says them
    for names, kind in (
        (("follow_up_on", "on"), "day"), (("follow_up_preset", "preset"), "follow_up_preset"),
        (("no_follow_up_reason",), "no_follow_up_reason"),
    ):  # fmt: skip
        value = next((said[name] for name in names if said.get(name)), None) if event == "acknowledge" else None
        if value is not None:
            yield Fact(name="follow_up", kind=kind, value=date.fromisoformat(value) if kind == "day" else value)


def _moves(sources: Sources) -> Iterator[Entry]:
    for move in sources.detail.history:
        if move.event == "send":
            continue  # the opening message says it
        icon, dot = _DOTS.get(move.event, ("arrow", ""))
        quotes = _quotes_of(sources, move)
        yield Entry(
            at=move.at,
            kind="move",
            about=move.event,
            icon=icon,
            dot=dot,
            agency=move.agency,
            facts=facts_of(move.event, move.facts),
            quotes=quotes,
            message=_message_of(move) if not quotes else None,
        )


def _message_of(move: threads.Move) -> tuple[str, str] | None:
    said = move.facts.get("message")
    return (str(said), str(move.agency)) if said and move.agency else None


def _quotes_of(sources: Sources, move: threads.Move) -> tuple[Quote, ...]:
    named = _message_of(move)
    return sources.quotes.get(named, ()) if named else ()


def _messages(sources: Sources) -> Iterator[Entry]:
    with_moves = {_message_of(move) for move in sources.detail.history}
    for one in sources.messages:
        named, unread = (one.id, one.sender), one.recipient == sources.agency and one.read_at is None
        if named in with_moves and not unread:
            continue
        icon, dot = ("send", "go") if one.kind == _FIRST else ("q", "ask") if one.kind == "question" else ("file", "in")
        if one.is_correction:
            icon, dot = "warn", "ask"
        yield Entry(
            at=one.at,
            kind="sent" if one.kind == _FIRST else "correction" if one.is_correction else "message",
            about=one.kind,
            icon=icon,
            dot=dot,
            agency=one.sender,
            quotes=sources.quotes.get(named, ()),
            message=named,
            categories=tuple(dict.fromkeys(part.category for part in one.parts)),
            unread=unread,
        )


def _arrivals(sources: Sources) -> Iterator[Entry]:
    first = next((one for one in sources.detail.deliveries if one.kind == _FIRST), None)
    if first is not None and first.delivered_at is not None:
        yield Entry(at=first.delivered_at, kind="arrived", about="", icon="inbox", dot="go", agency=first.recipient)


def _goings(sources: Sources) -> Iterator[Entry]:
    for one in sources.detail.accompaniments:
        planned = one.state in _PLANNED
        facts = [Fact(name="accompaniment_state", kind="accompaniment_state", value=one.state)]
        if one.result:
            facts.append(Fact(name="accompaniment_result", kind="accompaniment_result", value=one.result))
        if one.next_step_on:
            facts.append(Fact(name="next_step_on", kind="day", value=one.next_step_on))
        yield Entry(
            at=one.on, kind="going", about=one.purpose, icon="walk", dot="plan" if planned else "in",
            agency=one.agency, facts=tuple(facts), planned=planned,
        )  # fmt: skip


def _follow_ups(sources: Sources) -> Iterator[Entry]:
    for one in sources.detail.follow_ups:
        if one.done_at is None:
            yield Entry(
                at=one.due_on, kind="follow-up-due", about="", icon="cal", dot="plan", agency=one.agency, planned=True
            )
            continue
        facts = [Fact(name="follow_up_result", kind="follow_up_result", value=one.result)] if one.result else []
        facts += [Fact(name="channel", kind="channel", value=one.channel)] if one.channel else []
        yield Entry(
            at=one.done_at, kind="follow-up", about="", icon="cal", dot="in", agency=one.agency, facts=tuple(facts)
        )


def _appointment(sources: Sources) -> Iterable[Entry]:
    detail = sources.detail
    if detail.next_on is None or detail.next_on < sources.today or detail.state not in {"accepted", "in_progress"}:
        return []
    return [
        Entry(
            at=detail.next_on, kind="appointment", about="", icon="cal", dot="plan", agency=detail.recipient,
            planned=True,
        )
    ]  # fmt: skip


def _journal(sources: Sources) -> Iterator[Entry]:
    for one in sources.journal:
        facts = (Fact(name="channel", kind="channel", value=one.channel),) if one.channel else ()
        icon = _ICONS.get(one.kind, "pen")
        yield Entry(at=one.at, kind="journal", about=one.kind, icon=icon, staff=one.staff, facts=facts, text=one.text)


def reached(sources: Sources) -> tuple[dict[str, datetime | date], dict[str, datetime | date]]:
    """Give when each of the seven steps was reached, and for which day one is planned (`rules.steps`)."""
    detail = sources.detail
    first = next((one for one in detail.deliveries if one.kind == _FIRST), None)
    opening = next((one for one in sources.messages if one.kind == _FIRST), None)
    done: dict[str, datetime | date | None] = {
        "written": opening.at if opening else detail.sent_at,
        "sent": detail.sent_at,
        "arrived": _moment(first, detail),
        "accepted": _when(detail, "accept"),
        "accompanied": max((one.on for one in detail.accompaniments if one.state == "done"), default=None),
        "followed": max((one.done_at for one in detail.follow_ups if one.done_at), default=None),
        "finished": detail.history[-1].at if detail.history and not detail.ball else None,
    }
    plans: dict[str, datetime | date | None] = {
        "accompanied": min((one.on for one in detail.accompaniments if one.state in _PLANNED), default=None),
        "followed": min((one.due_on for one in detail.follow_ups if one.done_at is None), default=None),
    }
    return ({key: at for key, at in done.items() if at is not None},
            {key: at for key, at in plans.items() if at is not None})  # fmt: skip


def _moment(first: threads.Delivery | None, detail: threads.ReferralDetail) -> datetime | None:
    if first is not None and first.delivered_at is not None:
        return first.delivered_at
    return _when(detail, "receive")


def _when(detail: threads.ReferralDetail, event: str) -> datetime | None:
    return next((move.at for move in reversed(detail.history) if move.event == event), None)


def since(detail: threads.ReferralDetail, version: int) -> tuple[Entry, ...]:
    """Give what happened after a version that somebody saw, oldest first: why their move came too late."""
    return tuple(
        Entry(at=move.at, kind="move", about=move.event, icon="arrow", agency=move.agency)
        for move in detail.history
        if move.version > version
    )


def was_visited(detail: threads.ReferralDetail) -> bool:
    """Say whether the person has been there already (row 5: then a decline owes a note)."""
    seen = any(move.facts.get("what") == "visit_done" for move in detail.history)
    return seen or any(one.state == "done" for one in detail.accompaniments)
