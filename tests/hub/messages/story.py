# SPDX-License-Identifier: Apache-2.0
"""Three agencies and one case on a real database, with real keys, signed consents and sealed parts."""

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.envelope.manifest import ByConsent, ByEmergency, ManifestBasis, MessageKind, manifest_hash
from consent.envelope.sealing import Draft, PlainPart, Sealed, seal
from consent.jwk import KeyUse, generate
from consent.receipts import (
    ConsentRecord,
    Delivery,
    ExclusionRecord,
    PartReceipt,
    PartResult,
    PurgeAnswer,
    PurgeRecord,
    ReceiptRecord,
    sign_statement,
)
from consent.scopes import Scope
from hub.base import hubkeys
from hub.base.db import Database, Duty, now
from hub.base.errors import HubError
from hub.cases import service as cases
from hub.intakes import reads as intake_reads
from hub.intakes import service as intakes
from hub.intakes.rules import Taking
from hub.messages import reads, service
from hub.messages.handing_over import HandedOver
from hub.messages.receipting import Acknowledged
from hub.messages.service import Accepted
from tests.hub.builders import TestAgency, active_agency, new_uuid

PURPOSE = "sogo_shien_shikin"
RECEIPT_KEY = generate(KeyUse.SIG)


@dataclass(kw_only=True)
class Story:
    """The counselling agency `j1` and the council `s1`, joined by a consent when a test registers one; `f1` is a
    welfare office that no consent names.
    """

    database: Database
    jobs: Database
    j1: TestAgency
    s1: TestAgency
    f1: TestAgency
    case: str = field(default_factory=lambda: str(uuid.uuid4()))

    def time(self) -> datetime:
        with self.jobs.transaction(None) as session:
            return now(session)

    # ── the person's words ──

    def consent(self, *, categories: Sequence[str] = ("identity", "income_assets"), **changes: Any) -> str:
        at = self.time()
        members: dict[str, Any] = {
            "id": new_uuid(at),
            "case": self.case,
            "form": new_uuid(at),
            "kind": "intake_form",
            "hub_parties": frozenset({self.j1.id}),
            "partners": frozenset({self.s1.id}),
            "purposes": frozenset({PURPOSE}),
            "categories": frozenset(categories),
            "valid_from": at - timedelta(minutes=5),
            "valid_until": at + timedelta(days=90),
            "signature": "self",
            "signed_at": at - timedelta(minutes=5),
            "written_by": "person",
            "read_aloud": True,
            "form_version": "2026-1",
            "template": "kakuu-2026",
            "evidence": "ab" * 32,
        } | changes
        token = sign_statement(ConsentRecord.of(Scope(**members), self.j1.id), self.j1.sig)
        with self.database.transaction(self.j1.id, Duty.DECIDE) as session:
            intakes.register_consent(session, token, agency=self.j1.id, now=now(session))
        return str(members["id"])

    def withdraw(self, consent: str, *, to: Sequence[str] = (), categories: Sequence[str] = ()) -> None:
        taking = Taking(to=frozenset(to), categories=frozenset(categories))
        with self.database.transaction(self.j1.id, Duty.DECIDE) as session:
            known = intake_reads.by_consent(session, consent, signer=self.j1.id)
            assert known is not None
            intakes.withdraw(session, known, agency=self.j1.id, taking=taking, token=None, now=now(session))

    def exclude(self, to: str, *categories: str) -> None:
        at = self.time()
        record = ExclusionRecord(
            id=new_uuid(at),
            agency=self.j1.id,
            case=self.case,
            to=frozenset({to}),
            categories=frozenset(categories),
            from_time=at - timedelta(seconds=1),
            words_digest="cd" * 32,
        )
        with self.database.transaction(self.j1.id, Duty.DECIDE) as session:
            found = cases.reads.own(session, self.case, owner=self.j1.id)
            assert found is not None
            token = sign_statement(record, self.j1.sig)
            intakes.register_exclusion(session, found, token, agency=self.j1.id, now=now(session))

    # ── messages ──

    def seal(
        self,
        *categories: str,
        sender: TestAgency | None = None,
        recipient: TestAgency | None = None,
        basis: ManifestBasis | None = None,
        **changes: Any,
    ) -> Sealed:
        """Seal a message; from `j1` to `s1`, opening a thread, unless told otherwise."""
        sender, recipient = sender or self.j1, recipient or self.s1
        at = self.time()
        members: dict[str, Any] = {
            "id": new_uuid(at),
            "thread": new_uuid(at),
            "seq": 1,
            "prev": None,
            "sender": sender.id,
            "recipient": recipient.id,
            "case": self.case,
            "created_at": at,
            "not_after": at + timedelta(days=20),
            "purpose": PURPOSE,
            "urgency": "normal",
            "request_kind": "service",
            "kind": MessageKind.REFERRAL,
            "basis": basis or ByConsent(),
        } | changes
        parts = [
            PlainPart(category=category, media="application/json", body=b'{"text": "Kakuu Ichiro"}')
            for category in categories or ("identity", "income_assets")
        ]
        return seal(
            Draft(**members),
            parts,
            recipient=recipient.enc.public,
            own=sender.enc.public,
            sig=sender.sig,
            randomness=secrets.token_bytes,
        )

    def accept(
        self,
        sealed: Sealed,
        *,
        agency: TestAgency | None = None,
        thread: str | None = None,
        to: str | None = None,
        at: datetime | None = None,
    ) -> Accepted:
        agency = agency or self.j1
        with Keeping(self.database, agency.id) as session:
            return service.accept(
                session,
                agency=agency.id,
                manifest=sealed.manifest,
                parts=sealed.parts,
                thread=thread,
                to=to,
                now=at or now(session),
            )

    def send(self, *categories: str, **changes: Any) -> Accepted:
        return self.accept(self.seal(*categories, **changes))

    def collect(self, message: str, *, agency: TestAgency | None = None, at: datetime | None = None) -> HandedOver:
        agency = agency or self.s1
        with Keeping(self.database, agency.id) as session:
            return service.collect(session, agency=agency.id, message=message, now=at or now(session))

    def offered(self, agency: TestAgency | None = None, *, at: datetime | None = None) -> list[str]:
        agency = agency or self.s1
        with self.database.transaction(agency.id) as session:
            found = service.offer(session, agency=agency.id, after=None, limit=50, now=at or now(session))
            return [one.message.id for one in found]

    def receipt(self, accepted: Accepted, *, kind: Delivery = Delivery.DELIVERY, **changes: Any) -> str:
        read = kind is Delivery.READ
        count = 0 if read else len(accepted.manifest.parts)
        members: dict[str, Any] = {
            "id": new_uuid(),
            "agency": accepted.manifest.recipient,
            "sender": accepted.manifest.sender,
            "message": accepted.manifest.id,
            "manifest": accepted.manifest_hash,
            "kind": kind,
            "results": tuple(PartReceipt(n=n, result=PartResult.OK) for n in range(1, count + 1)),
            "by": "u-201" if read else None,
            "at": self.time(),
        } | changes
        return sign_statement(ReceiptRecord(**members), self.s1.sig)

    def acknowledge(
        self, accepted: Accepted, token: str | None = None, *, agency: TestAgency | None = None, **options: Any
    ) -> Acknowledged:
        agency = agency or self.s1
        with Keeping(self.database, agency.id) as session:
            return service.acknowledge(
                session,
                agency=agency.id,
                message=accepted.message,
                receipt=token or self.receipt(accepted, **options),
                now=now(session),
            )

    def purge(self, notice: reads.Notice, answer: PurgeAnswer = PurgeAnswer.PURGED, **changes: Any) -> str:
        members: dict[str, Any] = {
            "id": new_uuid(),
            "agency": notice.agency,
            "case": notice.case_handle,
            "withdrawal": notice.withdrawal,
            "answer": answer,
            "ground": None,
            "until": None,
            "at": self.time(),
        } | changes
        return sign_statement(PurgeRecord(**members), self.s1.sig)

    # ── looking inside ──

    def message(self, row: str) -> reads.Message:
        with self.jobs.transaction(None) as session:
            found = reads.message(session, row)
            assert found is not None
            return found

    def sealed_parts(self, row: str) -> tuple[str, ...] | None:
        with self.jobs.transaction(None) as session:
            return reads.sealed(session, row)

    def notices(self, agency: TestAgency | None = None) -> tuple[reads.Notice, ...]:
        agency = agency or self.s1
        with self.database.transaction(agency.id) as session:
            return reads.notices(session, agency=agency.id, open_only=False, after=None, limit=50)

    def count(self, table: str, where: str = "true") -> int:
        with self.jobs.transaction(None) as session:
            counted = sa.select(sa.func.count()).select_from(sa.table(table)).where(sa.text(where))
            return int(session.execute(counted).scalar_one())

    def logged(self) -> list[str]:
        """The kinds of what was written to the log, in order; read by its owner, since nobody else may."""
        with self.jobs.engine.connect() as connection:
            connection.execute(sa.text("set role tsn_seq"))
            rows = connection.execute(sa.text("select kind from audit_pending order by arrival")).scalars()
            return [str(kind) for kind in rows]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with self.jobs.engine.connect() as connection:
            connection.execute(sa.text("set role tsn_seq"))
            found = sa.text("select body from audit_pending where kind = :kind order by arrival")
            return [json.loads(bytes(body)) for body in connection.execute(found, {"kind": kind}).scalars()]


class Keeping:
    """A transaction that commits what a refusal says it keeps, as `hub.web.work` does."""

    def __init__(self, database: Database, agency: str) -> None:
        self._inner = database.transaction(agency, Duty.DECIDE)
        self._kept: HubError | None = None

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, HubError) and error.keep:
            self._inner.__exit__(None, None, None)
            return
        self._inner.__exit__(kind, error, trace)


def new_story(database: Database, jobs: Database) -> Story:
    """Make the three agencies and open the case."""
    database.givens[hubkeys.RECEIPTS] = hubkeys.Receipts(hub="https://hub.example", key=RECEIPT_KEY)
    story = Story(
        database=database,
        jobs=jobs,
        j1=active_agency(database, "jiritsu"),
        s1=active_agency(database, "shakyo"),
        f1=active_agency(database, "fukushi_jimusho"),
    )
    with database.transaction(story.j1.id) as session:
        cases.open_case(session, agency=story.j1.id, handle=story.case, now=now(session))
    return story


def next_in(accepted: Accepted, **changes: Any) -> dict[str, Any]:
    """Give the members of the message that follows `accepted` in its thread, from the same sender."""
    return {
        "thread": accepted.manifest.thread,
        "seq": accepted.manifest.seq + 1,
        "prev": accepted.manifest_hash,
    } | changes


def emergency(**changes: Any) -> ByEmergency:
    members: dict[str, Any] = {
        "threat": "life",
        "difficulty": "unreachable",
        "requester": "u-101",
        "approver": "u-100",
        "approver_role": "supervisor",
    } | changes
    return ByEmergency(**members)


def token_hash(sealed: Sealed) -> str:
    return manifest_hash(sealed.manifest)


def timer(story: Story, job: Callable[[Session], None], *, at: datetime) -> None:
    """Run a timer of the worker as if it came round at `at`."""
    with story.jobs.transaction(None) as session:
        session.connection()
        session.info["now"] = at
        job(session)
