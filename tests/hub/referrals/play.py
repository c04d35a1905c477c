# SPDX-License-Identifier: Apache-2.0
"""Referrals played through the API by real agencies: send, open, move, wait."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from consent.envelope.manifest import Manifest, MessageKind, manifest_hash, read_manifest
from consent.envelope.sealing import Sealed
from consent.receipts import Delivery, PartReceipt, PartResult, ReceiptRecord, sign_statement
from hub.base.clock import set_play_clock
from hub.outbox.rules import Work
from hub.referrals import jobs, reads
from hub.referrals.reads import Referral
from tests.hub.builders import TestAgency, new_uuid
from tests.hub.conftest import HubClient, Place
from tests.hub.messages.story import Story

JST = timezone(timedelta(hours=9))
WORKER = {"worker": "u-201", "worker_role": "counsellor"}
BODIES: dict[str, dict[str, Any]] = {
    "accept": {**WORKER, "next_on": "2026-04-08"},
    "ask": {},
    "decline": {"decline_by": "agency", "reason": "out_of_area"},
    "take-back": {},
    "contest": {"reason": "persons_wish"},
    "uphold": {"reason": "other_scheme"},
    "send-back": {"reason": "correction"},
    "cancel": {"reason": "need_gone"},
    "ask-to-cancel": {"reason": "other_route"},
    "confirm-cancel": {},
    "already-served": {"outcome": "service_started"},
    "start": {"what": "contact_made", "on": "2026-04-06"},
    "hold": {"reason": "papers", "review_on": "2026-04-20"},
    "resume": {},
    "note-progress": {"what": "visit_done", "on": "2026-04-06"},
    "report-outcome": {"outcome": "granted"},
    "acknowledge": {"follow_up": {"preset": "1m"}},
    "return": {"reason": "persons_wish"},
    "reopen": {"reason": "persons_wish"},
    "withdraw": {},
    "take-back-acceptance": {},
    "enter-in-error": {},
    "hand-over": {"worker": "u-202", "worker_role": "counsellor"},
}
PATHS: dict[str, Sequence[tuple[str, str]]] = {
    "requested": (),
    "received": (("R", "ask"),),
    "accepted": (("R", "accept"),),
    "on_hold": (("R", "accept"), ("R", "hold")),
    "in_progress": (("R", "accept"), ("R", "start")),
    "cancel_requested": (("R", "accept"), ("S", "ask-to-cancel")),
    "outcome_reported": (("R", "accept"), ("R", "report-outcome")),
    "closed": (("R", "accept"), ("R", "report-outcome"), ("S", "acknowledge")),
    "declined": (("R", "decline"),),
    "reroute_review": (("R", "decline"), ("S", "contest")),
    "cancelled": (("S", "cancel"),),
    "withdrawn": (("S", "withdraw"),),
    "entered_in_error": (("S", "enter-in-error"),),
}
"""How a referral comes to a state, by whose moves."""


def jst(text: str) -> datetime:
    """Read a moment as people in Japan write it."""
    return datetime.fromisoformat(text).replace(tzinfo=JST).astimezone(UTC)


@dataclass(kw_only=True)
class Play:
    """`j1` sends to `s1`; `f1` is the next office. `j1` owns the case and coordinates."""

    place: Place
    story: Story
    client: HubClient
    sealed: dict[str, Sealed] = field(default_factory=dict)

    @property
    def j1(self) -> TestAgency:
        return self.story.j1

    @property
    def s1(self) -> TestAgency:
        return self.story.s1

    @property
    def f1(self) -> TestAgency:
        return self.story.f1

    def at(self, text: str) -> datetime:
        """Move the clock to a moment in Japan."""
        return set_play_clock(self.place.admin_url, jst(text))

    def agency(self, who: str) -> TestAgency:
        return {"S": self.j1, "R": self.s1, "F": self.f1}[who]

    # ── calling ──

    def call(self, agency: TestAgency, path: str, body: object = None, **options: Any) -> TestResponse:
        return self.client.by(agency.id).say(path, body, **options)

    def get(self, agency: TestAgency, referral: str) -> dict[str, Any]:
        answer = self.client.by(agency.id).get(f"/v1/referrals/{referral}")
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()

    def submit(self, agency: TestAgency, sealed: Sealed, **more: Any) -> TestResponse:
        body = {"manifest": sealed.manifest, "parts": list(sealed.parts), **more}
        answer = self.call(agency, "/v1/referrals", body)
        if answer.status_code == 201:
            self.sealed[answer.get_json()["message"]] = sealed
        return answer

    def send(self, *categories: str, telephone: object = None, **changes: Any) -> dict[str, Any]:
        """Send a referral from `j1` to `s1` unless told otherwise, with the consent for it."""
        sealed = self.story.seal(*categories, **changes)
        sender = changes.get("sender") or self.j1
        more = {} if telephone is None else {"telephone": telephone}
        answer = self.submit(sender, sealed, **more)
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()

    def sent(self, **changes: Any) -> str:
        """Register the consent, send, and give the referral's id."""
        self.story.consent()
        return str(self.send(**changes)["id"])

    def move(
        self,
        who: str | TestAgency,
        referral: str,
        event: str,
        *,
        seen: object = None,
        key: str | None = None,
        **said: Any,
    ) -> TestResponse:
        """Make a move as S, R or F with a body that fits, seeing the newest version unless told otherwise."""
        agency = self.agency(who) if isinstance(who, str) else who
        version = self.stored(referral).version if seen is None else seen
        body = {**BODIES[event], **said}
        body = {name: value for name, value in body.items() if value is not None}
        return self.call(agency, f"/v1/referrals/{referral}/{event}", body, if_match=version, key=key)

    def moved(self, who: str | TestAgency, referral: str, event: str, **said: Any) -> dict[str, Any]:
        answer = self.move(who, referral, event, **said)
        assert answer.status_code == 200, (event, answer.get_json())
        return answer.get_json()

    def brought(self, state: str, **changes: Any) -> str:
        """Send a referral and bring it to a state."""
        referral = self.sent(**changes)
        for who, event in PATHS[state]:
            self.moved(who, referral, event)
        assert self.stored(referral).state == state
        return referral

    def refer_on(
        self, who: str | TestAgency, referral: str, sealed: Sealed, event: str = "refer-on", **said: Any
    ) -> Any:
        agency = self.agency(who) if isinstance(who, str) else who
        body = {"manifest": sealed.manifest, "parts": list(sealed.parts), **said}
        version = self.stored(referral).version
        return self.call(agency, f"/v1/referrals/{referral}/{event}", body, if_match=version)

    def message(self, referral: str, agency: TestAgency, sealed: Sealed) -> TestResponse:
        body = {"manifest": sealed.manifest, "parts": list(sealed.parts)}
        return self.call(agency, f"/v1/referrals/{referral}/messages", body)

    def word(self, referral: str, agency: TestAgency, kind: str, *categories: str, **changes: Any) -> Sealed:
        """Seal the next message of an agency in a referral's thread."""
        thread = self.stored(referral).thread
        other = self.s1 if agency is self.j1 else self.j1
        ((opener, first, mine, second, theirs),) = self.rows(
            "select opener, opener_seq, opener_head, partner_seq, partner_head from message_threads where thread = :t",
            t=thread,
        )
        seq, head = (first, mine) if str(opener) == agency.id else (second, theirs)
        members = {"thread": thread, "seq": seq + 1, "prev": head, "kind": MessageKind(kind)} | changes
        return self.story.seal(*(categories or ("identity",)), sender=agency, recipient=other, **members)

    def said(self, referral: str, agency: TestAgency, kind: str) -> str:
        """Send a message in a referral's thread and give its sender's id, by which moves name it."""
        sealed = self.word(referral, agency, kind)
        answer = self.message(referral, agency, sealed)
        assert answer.status_code == 201, answer.get_json()
        row = answer.get_json()["message"]
        self.sealed[row] = sealed
        return str(self.rows("select message from messages where id = :row", row=row)[0][0])

    # ── receipts ──

    def manifest(self, message: str, sender: TestAgency | None = None) -> Manifest:
        return read_manifest(self.sealed[message].manifest, (sender or self.j1).sig.public)

    def receipt(self, message: str, kind: str = "read", *, reader: TestAgency | None = None, ok: bool = True) -> str:
        manifest = self.manifest(message)
        results = tuple(
            PartReceipt(n=part.n, result=PartResult.OK if ok else PartResult.UNDECRYPTABLE) for part in manifest.parts
        )
        agency = reader or self.s1
        record = ReceiptRecord(
            id=new_uuid(self.story.time()),
            agency=agency.id,
            sender=manifest.sender,
            message=manifest.id,
            manifest=manifest_hash(self.sealed[message].manifest),
            kind=Delivery(kind),
            results=() if kind == "read" else results,
            by="u-201" if kind == "read" else None,
            at=self.story.time(),
        )
        return sign_statement(record, agency.sig)

    def open(self, referral: str, *, kinds: Sequence[str] = ("delivery", "read")) -> TestResponse:
        """Let `s1` collect the first message and send its receipts."""
        message = self.stored(referral).opening
        self.story.collect(message, agency=self.s1)
        for kind in kinds:
            answer = self.call(self.s1, f"/v1/messages/{message}/receipts", {"receipt": self.receipt(message, kind)})
            assert answer.status_code == 200, answer.get_json()
        return answer

    # ── the worker ──

    def tick(self, text: str | None = None) -> int:
        """Run the timers, at a moment if one is given."""
        if text is not None:
            self.at(text)
        with self.story.jobs.transaction(None) as session:
            return jobs.run_timers(session)

    def consent_changed(self) -> None:
        """Run the handler that follows every change of the case's consents."""
        with self.story.jobs.transaction(None) as session:
            row = session.execute(sa.text("select id from cases")).scalar_one()
            work = Work(
                id=new_uuid(),
                topic="consent:changed",
                about=str(row),
                agency=None,
                attempt=1,
                at=self.story.time(),
            )
            jobs.HANDLERS["consent:changed"](session, work)

    # ── looking inside ──

    def look(self, question: Callable[[Session], Any]) -> Any:
        with self.story.jobs.transaction(None) as session:
            return question(session)

    def stored(self, referral: str) -> Referral:
        found = self.look(lambda session: reads.referral(session, referral))
        assert found is not None
        return found

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.look(lambda session: session.execute(sa.text(statement), values).all())]

    def tasks(self, agency: TestAgency | None = None) -> set[str]:
        """The kinds of an agency's open tasks."""
        found = self.rows(
            "select kind from tasks where done_at is null and agency = :agency", agency=(agency or self.s1).id
        )
        return {str(kind) for (kind,) in found}

    def told(self, agency: TestAgency) -> list[str]:
        """The referral events on an agency's feed, in order."""
        found = self.rows(
            "select event from events where agency = :agency and event ~ '^(referral|accompaniment|follow_up):'"
            " order by seq",
            agency=agency.id,
        )
        return [str(event) for (event,) in found]

    def day(self, days: int = 0) -> str:
        """The Japanese calendar day, so many days from now."""
        return (self.story.time().astimezone(JST).date() + timedelta(days=days)).isoformat()
