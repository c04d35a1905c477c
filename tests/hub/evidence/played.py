# SPDX-License-Identifier: Apache-2.0
"""A small log of real decisions: every basis, every change of a consent, keys that come and go; and its bundle."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta

from consent.envelope.manifest import ByConference, ByStatute
from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import new_entry, peek_entry, sign_entry
from consent.questions import ConsentBasis
from consent.receipts import (
    Delivery,
    ExclusionRevocationRecord,
    StatusRecord,
    WithdrawalRecord,
    sign_statement,
    statement_hash,
)
from consent.tlog.notes import Verifier
from hub.agencies import reads as agency_reads
from hub.agencies import service as agencies
from hub.audit import jobs
from hub.audit.rules import origin
from hub.audit.sequencer import Signer
from hub.base.db import Database, Duty, now
from hub.base.errors import HubError
from hub.cases import reads as case_reads
from hub.cases import service as cases
from hub.cases.rules import Closure
from hub.evidence import reads, service
from hub.evidence.reads import Keys
from hub.intakes import reads as intake_reads
from hub.intakes import service as intakes
from hub.intakes.rules import Taking
from hub.meetings import service as meetings
from hub.meetings.rules import MeetingKind
from hub.meetings.service import NewMeeting
from hub.messages import service as messages
from hub.messages.deciding import Asked
from tests.hub.builders import ALWAYS, ISSUER, new_uuid, officer, operator
from tests.hub.messages.story import PURPOSE, RECEIPT_KEY, Story, emergency, new_story
from tests.hub.messages.test_noticing import answer, opened, work_off


@dataclass(frozen=True, kw_only=True)
class Log:
    """The hub's databases and the key of its log."""

    database: Database
    jobs: Database
    seq: Database
    signer: Signer

    @property
    def keys(self) -> Keys:
        return Keys(log=self.signer.verifier, receipt=RECEIPT_KEY.public.jwk())

    def sequence(self) -> None:
        jobs.sequence(self.seq, self.signer)

    def bundle(self) -> bytes:
        out = io.BytesIO()
        with self.jobs.transaction(None) as session:
            reads.write(session, out, self.keys, now=now(session))
        return out.getvalue()

    def export(self, by: str) -> bytes:
        out = io.BytesIO()
        with self.jobs.transaction(None) as session:
            service.export(session, out, self.keys, by=by, now=now(session))
        return out.getvalue()


def new_log(database: Database, jobs_database: Database, seq: Database) -> Log:
    signer = Signer(origin=origin(ISSUER), key=generate(KeyUse.WITNESS))
    return Log(database=database, jobs=jobs_database, seq=seq, signer=signer)


def play(log: Log) -> Story:
    """Play everything that leaves an entry with a decision or a signature; the log is sequenced now and then."""
    story = new_story(log.database, log.jobs)
    log.sequence()
    _by_consent(story, log)
    _refusals(story, log)
    _other_bases(story, log)
    _keys(story, log)
    _end(story, log)
    return story


def _by_consent(story: Story, log: Log) -> None:
    consent = story.consent()
    _status(story, consent)
    accepted = opened(story)
    story.acknowledge(accepted, kind=Delivery.READ)
    log.sequence()
    _ask(story, "identity", "health")
    story.withdraw(consent, categories=("income_assets",))
    _sign_withdrawal(story, consent)
    work_off(story)
    (notice,) = story.notices()
    answer(story, notice, story.purge(notice))
    log.sequence()
    newer = story.consent(categories=("identity", "contact", "health"))
    story.consent(supersedes=frozenset({newer}))
    story.send("identity")
    log.sequence()


def _refusals(story: Story, log: Log) -> None:
    refuse(lambda: story.send("identity", "disability"))
    story.exclude("shakyo", "contact")
    refuse(lambda: story.send("contact"))
    _end_exclusion(story)
    waiting = story.send("income_assets")
    story.withdraw(_live(story))
    refuse(lambda: story.collect(waiting.message))
    refuse(lambda: story.send("income_assets"))
    log.sequence()


def _other_bases(story: Story, log: Log) -> None:
    accepted = story.send("identity", "safety", basis=emergency())
    story.collect(accepted.message)
    refuse(lambda: story.send("income_assets", basis=emergency()))
    conference = _conference(story)
    sent = story.send("health", basis=ByConference(conference=conference), purpose="shien_kaigi")
    story.collect(sent.message)
    refuse(lambda: story.send("identity", basis=ByStatute(ground="")))
    log.sequence()


def _keys(story: Story, log: Log) -> None:
    """The council takes a new sig key and ends the old one; operator and officer end the office's."""
    rotate(story.database, story.s1)
    with story.database.transaction(None, Duty.DIRECTORY) as session:
        for person in (operator(), officer()):
            agencies.revoke_key(session, story.f1.id, story.f1.sig.kid, person, now=now(session))
    log.sequence()


def _end(story: Story, log: Log) -> None:
    with story.database.transaction(story.j1.id) as session:
        case = case_reads.own(session, story.case, owner=story.j1.id)
        assert case is not None
        closure = Closure(ground="goal_reached", follow_up_on=None, no_follow_up_reason="not_needed")
        move = cases.Move(step="13", state="closed", reason=None, closure=closure, seen_version=None)
        cases.move_case(session, case, move, agency=story.j1.id, now=now(session))
    refuse(lambda: story.send("identity"))
    log.sequence()


def rotate(database: Database, agency) -> PrivateKey:
    fresh = generate(KeyUse.SIG)
    with database.transaction(agency.id, Duty.DIRECTORY) as session:
        chain = [key for key in agency_reads.keys(session, agency.id) if key.use == "sig"]
        last = peek_entry(chain[-1].signed)
        entry = new_entry(fresh.public, agency=agency.id, not_before=ALWAYS[0], not_after=ALWAYS[1], after=last)
        signed = sign_entry(entry, by_self=fresh, by_previous=agency.sig)
        agencies.publish_key(session, agency.id, signed, now=now(session))
    return fresh


def refuse(deed) -> None:
    try:
        deed()
    except HubError:
        return
    raise AssertionError("not-refused")


def _ask(story: Story, *categories: str) -> None:
    asked = Asked(
        sender=story.j1.id,
        recipient=story.s1.id,
        case=story.case,
        purpose=PURPOSE,
        basis=ConsentBasis(),
        categories=categories,
    )
    with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
        messages.ask(session, asked, now=now(session))


def _status(story: Story, consent: str) -> None:
    at = story.time()
    with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
        known = intake_reads.by_consent(session, consent, signer=story.j1.id)
        assert known is not None
        record = StatusRecord(
            id=new_uuid(at),
            agency=story.j1.id,
            case=story.case,
            consent=consent,
            hash=statement_hash(known.record),
            as_of=at,
            next_by=at + timedelta(hours=12),
        )
        token = sign_statement(record, story.j1.sig)
        intakes.record_status(session, known, token, agency=story.j1.id, now=now(session))


def _sign_withdrawal(story: Story, consent: str) -> None:
    """Put the intake agency's signature under what was taken back by word of mouth."""
    at = story.time()
    record = WithdrawalRecord(
        id=new_uuid(at),
        agency=story.j1.id,
        case=story.case,
        scopes=frozenset({consent}),
        to=frozenset(),
        categories=frozenset({"income_assets"}),
        at=at,
    )
    token = sign_statement(record, story.j1.sig)
    with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
        known = intake_reads.by_consent(session, consent, signer=story.j1.id)
        assert known is not None
        intakes.withdraw(session, known, agency=story.j1.id, taking=Taking(), token=token, now=now(session))


def _live(story: Story) -> str:
    with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
        case = case_reads.own(session, story.case, owner=story.j1.id)
        assert case is not None
        return intake_reads.of_case(session, case.id)[-1].consent


def _end_exclusion(story: Story) -> None:
    with story.database.transaction(story.j1.id, Duty.DECIDE) as session:
        case = case_reads.own(session, story.case, owner=story.j1.id)
        assert case is not None
        (known,) = intake_reads.refusals(session, case.id)
        record = ExclusionRevocationRecord(
            id=new_uuid(), agency=story.j1.id, case=story.case, revokes=known.exclusion, at=now(session)
        )
        token = sign_statement(record, story.j1.sig)
        intakes.revoke_exclusion(session, case, known, token, agency=story.j1.id, now=now(session))


def _conference(story: Story) -> str:
    with story.database.transaction(None, Duty.DIRECTORY) as session:
        for person in (operator(), officer()):
            agencies.set_convening(session, story.j1.id, person, allowed=True, now=now(session))
    with story.database.transaction(story.j1.id) as session:
        at = now(session)
        wanted = NewMeeting(
            kind=MeetingKind.CONFERENCE, members=(story.s1.id,), until=at + timedelta(days=30), case=story.case
        )
        convened = meetings.convene(session, wanted, agency=story.j1.id, now=at)
    with story.database.transaction(story.s1.id) as session:
        meetings.accept(session, convened.id, agency=story.s1.id, now=now(session))
    return convened.id


def log_key(log: Log) -> Verifier:
    return log.signer.verifier
