# SPDX-License-Identifier: Apache-2.0
"""The half of a seat that is about messages, referrals, meetings, events and the log; short, as tests need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from typing_extensions import override

from connectors.sdk import answers, threads
from connectors.sdk.interface import Body
from connectors.testing.machine import Machine, plain
from connectors.testing.memory import refuse
from consent import signing, wire
from consent.calendar import day_of
from consent.envelope.manifest import Manifest
from consent.receipts import PurgeRecord


class Exchange(Machine):
    """Messages, referrals, meetings, events, the log."""

    # ── messages ──

    @override
    def inbox(self, *, wait: int = 0) -> Iterator[threads.Waiting]:
        del wait
        messages = list(self._hub.messages.values())
        return (_waiting(one) for one in messages if (one.recipient, one.delivery) == (self._agency, "queued"))

    @override
    def collect(self, message: str) -> threads.HandedOver:
        return self._hub.hand_over(self._agency, message)

    @override
    def acknowledge(self, message: str, receipt: str, *, idempotency_key: str | None = None) -> threads.ReceiptTaken:
        return self._once(idempotency_key, lambda: self._acknowledge(message, receipt))

    @override
    def notices(self, *, open_only: bool = True) -> Iterator[threads.Notice]:
        notices = [one for agency, one in self._hub.notices if agency == self._agency]
        return (one for one in notices if one.answer is None or not open_only)

    @override
    def answer_notice(self, notice: str, record: str, *, idempotency_key: str | None = None) -> threads.Notice:
        said = self._hub.signed(record, PurgeRecord, self._agency)
        places = [place for place, (_, one) in enumerate(self._hub.notices) if one.id == notice]
        if not places:
            refuse(404, "not-found")
        _, asked = self._hub.notices[places[0]]
        answered = replace(asked, answer=said.answer.value, answered_at=self._hub.clock())
        self._hub.notices[places[0]] = (self._agency, answered)
        return answered

    # ── referrals ──

    @override
    def open_referral(
        self, manifest: str, parts: Sequence[str], *, telephone: Body | None = None, idempotency_key: str | None = None
    ) -> threads.Opened:
        return self._once(idempotency_key, lambda: self._open(manifest, parts, telephone))

    @override
    def send_message(
        self, referral: str, manifest: str, parts: Sequence[str], *, idempotency_key: str | None = None
    ) -> threads.MessageAccepted:
        return self._once(idempotency_key, lambda: self._send(referral, manifest, parts))

    @override
    def referrals(
        self,
        *,
        role: str | None = None,
        state: str | None = None,
        overdue: bool | None = None,
        updated_after: datetime | None = None,
        case: str | None = None,
    ) -> Iterator[threads.Referral]:
        found = sorted(self._hub.referrals.values(), key=lambda one: (one.updated_at, one.id))
        return (
            plain(one)
            for one in found
            if self._agency in {one.sender, one.recipient, one.coordinator}
            and (role is None or getattr(one, role) == self._agency)
            and state in {None, one.state}
            and overdue in {None, one.overdue}
            and (updated_after is None or one.updated_at > updated_after)
            and case in {None, one.case}
        )

    @override
    def move(
        self,
        referral: str,
        event: str,
        said: Body | None = None,
        *,
        version: int,
        idempotency_key: str | None = None,
    ) -> threads.Referral:
        return self._once(idempotency_key, lambda: self._move(referral, event, said or {}, version))

    @override
    def refer_on(
        self,
        referral: str,
        manifest: str,
        parts: Sequence[str],
        *,
        version: int,
        reason: str | None = None,
        telephone: Body | None = None,
        idempotency_key: str | None = None,
    ) -> threads.Rerouted:
        return self._once(
            idempotency_key, lambda: self._refer_on(referral, manifest, parts, (version, reason, telephone))
        )

    # ── meetings, events ──

    @override
    def meetings(self) -> Iterator[answers.Meeting]:
        return (one for one in list(self._hub.meetings.values()) if self._agency in {one.convenor, *one.members})

    @override
    def meeting(self, meeting: str) -> answers.MeetingDetail:
        found = self._hub.meetings.get(meeting)
        return found if found and self._agency in {found.convenor, *found.members} else refuse(404, "not-found")

    @override
    def convene(
        self,
        kind: str,
        *,
        members: Sequence[str],
        until: datetime,
        case: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Meeting:
        return self._once(idempotency_key, lambda: self._convene(kind, members, until, case))

    @override
    def accept_meeting(self, meeting: str, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._once(idempotency_key, lambda: self._accept_meeting(meeting))

    @override
    def put_on_agenda(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._once(idempotency_key, lambda: self._put(meeting, "agenda", item))

    @override
    def record_decision(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._once(idempotency_key, lambda: self._put(meeting, "decisions", item))

    @override
    def end_meeting(self, meeting: str, *, version: int, idempotency_key: str | None = None) -> answers.Meeting:
        return self._once(idempotency_key, lambda: self._end(meeting, version))

    @override
    def events(self, *, cursor: str | None = None, wait: int = 0) -> answers.Events:
        del wait
        after = int(cursor or 0)
        news = tuple(one for agency, one in self._hub.events[after:] if agency == self._agency)
        return answers.Events(items=news, next_cursor=str(len(self._hub.events)) if news else cursor)

    # ── the log ──

    @override
    def hub_keys(self) -> answers.HubKeys:
        return answers.HubKeys(log=self._hub.log.verifier, receipt=self._hub.receipt_key.public.jwk())

    @override
    def log_tile(self, level: int, number: int, width: int) -> bytes:
        return self._hub.log.tile(level, number, width)

    @override
    def checkpoint(self) -> str:
        return self._hub.log.checkpoint()

    @override
    def witnessed_checkpoint(self) -> str:
        if self._hub.log.witnessed is None:
            refuse(404, "not-found")
        return self._hub.log.witnessed

    @override
    def log_entries(self, *, case: str | None = None) -> Iterator[answers.LogEntry]:
        return (entry for entry, parties in list(self._hub.log.entries) if self._agency in parties)

    @override
    def log_evidence(self) -> Iterator[answers.Evidence]:
        return (
            answers.Evidence(index=one.index, id=one.id, entry=one.entry, logged_at=one.logged_at, documents={})
            for one in self.log_entries()
        )

    @override
    def log_checkpoints(self) -> Iterator[answers.Checkpoint]:
        yield answers.Checkpoint(size=len(self._hub.log.entries), note=self._hub.log.checkpoint())

    @override
    def log_entry(self, entry: str) -> answers.ProvedEntry:
        found = self._hub.log.find(entry, self._agency) or refuse(404, "not-found")
        proof = self._hub.log.proof(found.index)
        return answers.ProvedEntry(
            index=found.index, id=found.id, entry=found.entry, logged_at=found.logged_at, proof=proof
        )

    @override
    def anchor(self, day: date, *, root: str, count: int, idempotency_key: str | None = None) -> answers.Anchored:
        if day >= day_of(self._hub.clock()):
            refuse(422, "day-not-over")
        known = self._hub.anchors.get((self._agency, day))
        if known is not None and (known.root, known.count) != (root, count):
            refuse(409, "anchor-differs")
        return self._once(idempotency_key, lambda: known or self._anchored(day, root, count))

    def _anchored(self, day: date, root: str, count: int) -> answers.Anchored:
        facts = {"day": day.isoformat(), "root": root, "count": count}
        entry = self._hub.write("agency:anchor", (self._agency,), facts)
        made = answers.Anchored(day=day, root=root, count=count, entry=entry, anchored_at=self._hub.clock())
        self._hub.anchors[self._agency, day] = made
        return made

    @override
    def log_proof(self, index: int) -> answers.LogProof:
        size = len(self._hub.log.entries)
        return answers.LogProof(index=index, size=size, proof=self._hub.log.proof(index))

    # ── how ──

    def _convene(self, kind: str, members: Sequence[str], until: datetime, case: str | None) -> answers.Meeting:
        if not members or self._agency in members or len(set(members)) < len(members):
            refuse(422, "bad-members")
        if until <= self._hub.clock():
            refuse(422, "bad-period")
        made = answers.MeetingDetail(
            id=self._hub.new_id(), kind=kind, convenor=self._agency, case=case, members=tuple(members),
            accepted=(self._agency,), until=until, convened_at=self._hub.clock(), version=1,
        )  # fmt: skip
        self._hub.meetings[made.id] = made
        self._hub.tell(made.members, "meeting:convened", made.id)
        return made

    def _accept_meeting(self, meeting: str) -> answers.Meeting:
        found = self._sitting(meeting)
        if self._agency in found.accepted:
            return found
        return self._met(found, accepted=tuple(sorted((*found.accepted, self._agency))))

    def _put(self, meeting: str, where: str, item: Body) -> answers.Meeting:
        found = self._sitting(meeting)
        if self._agency not in found.accepted:
            refuse(403, "not-a-member")
        code, case = item.get("code"), item.get("case")
        if case is not None and not self._finds(case):
            refuse(422, "unknown-case")
        made = answers.Item(id=self._hub.new_id(), code=code, case=case, author=self._agency, at=self._hub.clock())
        return self._met(found, **{where: (*getattr(found, where), made)})

    def _end(self, meeting: str, version: int) -> answers.Meeting:
        found = self.meeting(meeting)
        if found.convenor != self._agency:
            refuse(403, "not-yours")
        if found.ended_at is not None:
            return found
        if version != found.version:
            refuse(412, "stale")
        self._hub.tell(found.members, "meeting:ended", found.id)
        return self._met(found, ended_at=self._hub.clock())

    def _sitting(self, meeting: str) -> answers.MeetingDetail:
        found = self.meeting(meeting)
        if found.ended_at is not None or found.until <= self._hub.clock():
            refuse(409, "meeting-ended")
        return found

    def _met(self, found: answers.MeetingDetail, **values: Any) -> answers.Meeting:
        self._hub.meetings[found.id] = replace(found, version=found.version + 1, **values)
        return self._hub.meetings[found.id]


def _waiting(one: threads.HandedOver) -> threads.Waiting:
    manifest = wire.read(Manifest, signing.peek_payload(one.manifest, typ=signing.Typ.MANIFEST))
    return threads.Waiting(
        id=one.id, message=one.message, thread=one.thread, seq=one.seq, sender=one.sender, kind=one.kind,
        urgency=manifest.urgency, accepted_at=one.accepted_at, not_after=one.not_after, actions=("collect",),
    )  # fmt: skip
