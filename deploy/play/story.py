# SPDX-License-Identifier: Apache-2.0
"""The form of a scenario file: one person's story as events in time order. Reads and checks; plays nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

JST: Final = timezone(timedelta(hours=9), "JST")
_DATE_LENGTH: Final = len("2026-04-06")


class MalformedStoryError(Exception):
    """The file is no scenario: `where` in the file, and `why`, a rule of ours; not the file's words."""

    def __init__(self, where: str, why: str) -> None:
        """Take the place and the rule."""
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


def moment(value: object) -> datetime:
    """Read a time of the file: a bare date means 00:00 JST, a time without zone is JST (scenarios' README)."""
    if not isinstance(value, str):
        raise ValueError("a time is written as text")  # noqa: TRY004 - pydantic takes ValueError for a finding
    if len(value) == _DATE_LENGTH:
        return datetime.combine(date.fromisoformat(value), time(), tzinfo=JST)
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=JST)


Moment = Annotated[datetime, BeforeValidator(moment)]


class _Told(BaseModel):
    """Scenario files may carry remarks of their own; what is not known here is read over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ScopeTold(_Told):
    """What a signed form allows, for several partners at once."""

    id: str
    hub: tuple[str, ...]
    partners: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    valid_from: Moment
    valid_until: Moment
    signature: str = "self"
    both: bool = True
    supersedes: tuple[str, ...] = ()


class ExclusionTold(_Told):
    """What the person forbids, to whom, from when."""

    to: tuple[str, ...]
    categories: tuple[str, ...]
    from_time: Moment | None = None


class WithdrawalTold(_Told):
    """What the person takes back. Without `to` or `categories`: all of it; without `scope`: every scope."""

    scope: str | None = None
    to: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class ConferenceTold(_Told):
    """A 支援会議: its name in the story, who sits in it, until when."""

    id: str
    members: tuple[str, ...] = Field(min_length=1)
    until: Moment


class JustificationTold(_Told):
    """Why an emergency disclosure is made, and who asked and approved."""

    threat: str = ""
    why_consent_difficult: str = ""
    requester: str = ""
    approver: str = ""
    approver_role: str | None = None
    approved_at: Moment | None = None
    valid_until: Moment | None = None
    conference: str | None = None
    ground: str | None = None


class Event(_Told):
    """One thing that happens. Which members matter depends on `type`."""

    at: Moment
    type: str = Field(min_length=1)
    n: int | None = None
    text: str = ""
    sender: str | None = Field(default=None, alias="from")
    to: str | None = None
    purpose: str | None = None
    categories: tuple[str, ...] = ()
    basis: Literal["consent", "emergency", "shien_kaigi", "statute"] = "consent"
    justification: JustificationTold = JustificationTold()
    ground: str | None = None
    scope: ScopeTold | None = None
    supersedes: tuple[str, ...] = ()
    exclusion: ExclusionTold | None = None
    withdrawal: WithdrawalTold | None = None
    conference: ConferenceTold | str | None = None
    closed_at: Moment | None = None
    expect: dict[str, str] | None = None
    expect_record: Literal["RECORDED", "TASK"] | None = None
    message_outcome: Literal["ACCEPT", "REFUSE"] | None = None

    @property
    def takes_effect(self) -> datetime:
        """When it happens: a closure may be told before the moment from which it counts, and is done then."""
        return max(self.at, self.closed_at or self.at) if self.type == "closure" else self.at

    @model_validator(mode="before")
    @classmethod
    def _flat_conference(cls, data: Any) -> Any:
        """Take a conference whose members stand in the event itself."""
        if isinstance(data, dict) and data.get("type") == "conference" and "members" in data:
            inner = {name: data[name] for name in ("id", "members", "until") if name in data}
            return {**data, "conference": inner}
        return data

    @model_validator(mode="after")
    def _whole(self) -> Event:
        missing = [name for name in _NEEDED.get(self.type, ()) if not getattr(self, name)]
        if missing:
            raise ValueError("missing: " + ", ".join("from" if name == "sender" else name for name in missing))
        return self


_MESSAGE: Final = ("sender", "to", "purpose", "categories")
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "consent_grant": ("scope",),
    "exclusion": ("exclusion",),
    "consent_withdraw": ("withdrawal",),
    "conference": ("conference",),
    "share": _MESSAGE,
    "report_back": _MESSAGE,
    "pickup": _MESSAGE,
}


class Story(_Told):
    """A scenario file: who is in it and what happens, in time order."""

    id: str = "?"
    title: str = ""
    person: str = ""
    note: str = ""
    agencies: dict[str, str] = Field(min_length=1)
    hub_party: str = "J1"
    events: tuple[Event, ...]

    @model_validator(mode="after")
    def _told_in_order(self) -> Story:
        if self.hub_party not in self.agencies:
            raise ValueError("hub_party is none of the agencies")
        for earlier, later in zip(self.events, self.events[1:], strict=False):
            if later.at < earlier.at:
                raise ValueError("events are not in time order")
        for number, event in enumerate(self.events, start=1):
            strangers = self.named(event) - set(self.agencies)
            if strangers and event.type in {"share", "report_back", "pickup", "conference"}:
                raise ValueError(f"event {number} names an agency that the file does not list")
        return self

    def as_it_happens(self) -> tuple[tuple[int, Event], ...]:
        """Give each event with its place in the file, in the order in which they take effect."""
        return tuple(sorted(enumerate(self.events, start=1), key=lambda placed: placed[1].takes_effect))

    def named(self, event: Event) -> set[str]:
        """Give the agencies that an event names as sender, recipient or member."""
        members = event.conference.members if isinstance(event.conference, ConferenceTold) else ()
        return {code for code in (event.sender, event.to, *members) if code}

    def cast(self) -> tuple[str, ...]:
        """Give the agencies that need a connector: those who act, receive, or are named by a form or a refusal."""
        named = {self.hub_party}
        for event in self.events:
            named |= self.named(event)
            if event.scope:
                named |= {*event.scope.hub, *event.scope.partners}
            if event.exclusion:
                named |= set(event.exclusion.to)
            if event.withdrawal:
                named |= set(event.withdrawal.to)
        return tuple(code for code in self.agencies if code in named)


def read(path: Path) -> Story:
    """Read a scenario file.

    *Raises* `MalformedStoryError` with the place and the rule; the file's own words are not repeated.
    """
    try:
        return Story.model_validate_json(path.read_bytes())
    except OSError:
        raise MalformedStoryError(str(path), "cannot be read") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "file"
        raise MalformedStoryError(place, first["msg"]) from None
