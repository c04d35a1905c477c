# SPDX-License-Identifier: Apache-2.0
"""The agencies of a story: one real connector each, with keys, casebook and a seat at the hub; and what they share.

What the story calls J1 or F1 are agency ids at the hub; which kind each is follows from its name, by data.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.casebook import people
from connectors.keystore.keyfile import DRAWN
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, Profile, create_agency
from consent.jwk import KeyUse
from consent.vocabulary.codes import is_known
from deploy.play.stage import Stage
from deploy.play.story import Event, Story

COUNSELLING: Final = "jiritsu"
WORKER: Final = "play-worker"
BEFORE: Final = timedelta(hours=1)
"""The agencies join the network this long before the story begins."""
INTRODUCED_EVERY: Final = timedelta(days=1)
"""How often a connector asks for the directory, at the least."""
ROTATED_BEFORE: Final = timedelta(days=14)
"""A key is replaced this long before it ends."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One agency of the story."""

    code: str
    name: str
    connector: Connector
    words: tuple[str, ...]
    passphrase: str = field(repr=False)

    @property
    def agency(self) -> str:
        """Give its id at the hub."""
        return self.connector.agency


@dataclass(slots=True)
class PlayClock:
    """The clock that every connector of a story reads; it stands until the next event."""

    at: datetime

    def __call__(self) -> datetime:
        """Give the moment at which the story stands."""
        return self.at


@dataclass(slots=True)
class Company:
    """Everybody in a story, the one case they work on, and what the story's own names stand for at the hub.

    `consents` are record ids by the form's name and then by partner; `referrals` in the order of opening; `sent` in the
    order of sending, what was not collected yet. `troupe`: every agency on the stage, those of earlier stories too.
    """

    story: Story
    stage: Stage
    clock: PlayClock
    actors: dict[str, Actor]
    case: str
    introduced_at: datetime
    troupe: dict[str, Actor] = field(default_factory=dict)
    newcomers: tuple[Actor, ...] = ()
    consents: dict[str, dict[str, str]] = field(default_factory=dict)
    conferences: dict[str, str] = field(default_factory=dict)
    referrals: list[OpenedReferral] = field(default_factory=list)
    sent: list[SentMessage] = field(default_factory=list)

    @property
    def hub_party(self) -> Actor:
        """Give the agency on the intake side."""
        return self.actors[self.story.hub_party]

    def side_of(self, referral: OpenedReferral) -> Actor:
        """Give the hub party where it is a side of the referral, else who opened it."""
        is_side = self.story.hub_party in {referral.sender, referral.recipient}
        return self.hub_party if is_side else self.actors[referral.sender]

    def named(self, code: str) -> str:
        """Give what the hub calls an agency of the story; a recipient kind or `*` stands for itself."""
        if code in self.actors:
            return self.actors[code].agency
        return code if code == "*" or is_known("recipients", code) else str(uuid.uuid4())

    def wait_until(self, at: datetime) -> None:
        """Let time pass until `at`, and let the agencies do what they do meanwhile: rotate keys, learn each other's.

        Keys that would end are rotated two weeks before. Connectors and hub have the same time; it never goes back.
        """
        rotated = False
        while (due := self._next_rotation()) is not None and due[0] <= at:
            moment, actor, use = due
            self._stand_at(max(moment, self.clock.at))
            actor.connector.rotate_key(use, actor.passphrase, stretching=DRAWN)
            rotated = True
        self._stand_at(max(at, self.clock.at))
        if rotated:
            self.stage.settle()  # nobody takes a key before the log shows it
        if rotated or self.clock.at - self.introduced_at >= INTRODUCED_EVERY:
            self.introduce()

    def introduce(self) -> None:
        """Have everybody learn who is there and with which keys."""
        for actor in self.actors.values():
            actor.connector.fetch_directory()
        self.introduced_at = self.clock.at

    def _next_rotation(self) -> tuple[datetime, Actor, KeyUse] | None:
        ends: list[tuple[datetime, Actor, KeyUse]] = []
        for actor in self.troupe.values():
            last: dict[KeyUse, datetime] = {}
            for held in actor.connector.keystore.held:
                use = held.entry.use
                last[use] = max(held.entry.not_after, last.get(use, held.entry.not_after))
            ends += [(end - ROTATED_BEFORE, actor, use) for use, end in last.items()]
        return min(ends, key=lambda due: due[0], default=None)

    def _stand_at(self, at: datetime) -> None:
        # a few microseconds further where several events share a minute: what was registered before must count
        self.clock.at = self.stage.stand_at(at)

    def keep_statuses(self) -> None:
        """Have the intake side say anew that its consents are live, as its sync does twice a day (protocol §4)."""
        connector = self.hub_party.connector
        if connector.renew_statuses():
            connector.push()

    def later_pickup(self, event: Event) -> bool:
        """Say whether the story has the recipient collect this message later."""
        here = next(place for place, one in enumerate(self.story.events) if one is event)  # two may be alike
        rest = self.story.events[here + 1 :]
        same = (event.sender, event.to, event.purpose)
        return any(later.type == "pickup" and (later.sender, later.to, later.purpose) == same for later in rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReferral:
    """A referral of the story: its id and thread at the hub, who opened it to whom, and for what."""

    id: str
    thread: str
    sender: str
    recipient: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that the hub took and nobody has collected: its id there, its referral, and what it says of itself."""

    message: str
    referral: OpenedReferral
    sender: str
    recipient: str
    purpose: str
    basis: str
    categories: frozenset[str]


def assemble(story: Story, stage: Stage, before: Company | None = None) -> Company:
    """Found every agency of the story, have the hub admit it, and open the person's case at the hub party.

    After another story on the same stage (`before`) its agencies are there already, and time does not go back.
    """
    begins = (story.events[0].at if story.events else datetime.now(UTC)).astimezone(UTC) - BEFORE
    if before is not None:
        before.wait_until(begins)
    clock = before.clock if before else PlayClock(begins)
    clock.at = stage.stand_at(clock.at)
    known = dict(before.troupe) if before else {}
    new = {code: _found(story, code, stage, clock) for code in story.cast() if code not in known}
    stage.settle()
    troupe = {**known, **new}
    company = Company(
        story=story,
        stage=stage,
        clock=clock,
        actors={code: troupe[code] for code in story.cast()},
        case=str(uuid.uuid4()),
        introduced_at=clock.at,
        troupe=troupe,
        newcomers=tuple(new.values()),
    )
    company.introduce()
    _open_case(company)
    return company


def _found(story: Story, code: str, stage: Stage, clock: PlayClock) -> Actor:
    name, folder = story.agencies[code], stage.folder / code
    kind = kind_of(code, name)
    passphrase = secrets.token_urlsafe(18)
    applicant = Applicant(
        kind=kind, name_ja=name, name_en=code, hub=stage.url, profile=Profile(coordinates=kind == COUNSELLING)
    )
    new = create_agency(folder, passphrase, applicant, now=clock.at, stretching=DRAWN)
    stage.admit(new, may_convene=code == story.hub_party)
    return Actor(code, name, open_connector(folder, passphrase, clock=clock), new.words, passphrase)


def _open_case(company: Company) -> None:
    connector = company.hub_party.connector
    pen = connector.pen(WORKER)
    with connector.casebook.transaction() as book:
        person = people.register_person(
            book, person=pen.new_id(), name=company.story.person or company.story.id, kana="", staff=WORKER, now=pen.now
        )
        people.open_case(book, handle=company.case, person=person.id, owner=connector.agency, staff=WORKER, now=pen.now)
    connector.hub.open_case(company.case)


@cache
def _kinds() -> Any:
    return json.loads(files("deploy.play").joinpath("kinds.json").read_text(encoding="utf-8"))


def kind_of(code: str, name: str) -> str:
    """Tell an agency's kind from its name in the story, else from the letter of its code."""
    data = _kinds()
    by_name: Iterator[str] = (kind for word, kind in data["by_word"] if word in name)
    return next(by_name, None) or data["by_letter"].get(code[:1], data["otherwise"])
