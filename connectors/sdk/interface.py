# SPDX-License-Identifier: Apache-2.0
"""What a connector asks of a hub, as a protocol: `HubClient` fulfils it over HTTPS, `connectors.testing` in memory.

Every call raises `ProblemError` (its kind `ConsentRefusedError` where consent does not reach) for what the hub refuses,
`HubAwayError` when it does not answer, `ConnectorError("answer-malformed")` for an answer that cannot be read.

- `idempotency_key`: given, a call that is tried again with it takes effect once; left out, it is made up
- `version`: the version of the thing that was seen (its entity tag); the hub refuses a move made on an older one
- `record`, `receipt`: signed statements, byte for byte; lists come as iterators over all pages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from connectors.sdk import answers, threads
from connectors.sdk.webhook_calls import Webhooks
from consent.envelope.manifest import ManifestBasis
from consent.keys import SignedEntry

Body = Mapping[str, Any]
"""Members of a request as the API names them; dates and moments may be given as such."""


class Hub(Protocol):
    """The hub as one agency sees it."""

    # ── the directory ──

    def agencies(self, *, kind: str | None = None, purpose: str | None = None) -> Iterator[answers.Agency]:
        """Give everybody who may be found."""
        ...

    def agency(self, agency: str) -> answers.Agency:
        """Give one agency."""
        ...

    def agency_keys(self, agency: str) -> answers.AgencyKeys:
        """Give every key entry of an agency, to be verified."""
        ...

    def publish_key(self, signed: SignedEntry, *, idempotency_key: str | None = None) -> answers.PublishedKey:
        """Publish a key entry of our own: a new key, or the early end of one."""
        ...

    # ── cases ──

    def cases(self) -> Iterator[answers.Case]:
        """Give the cases that are ours or name us."""
        ...

    def case(self, case: str) -> answers.CaseDetail:
        """Give a case by our handle or the hub's id."""
        ...

    def open_case(self, case: str, *, idempotency_key: str | None = None) -> answers.Case:
        """Open a case under our own random handle; again, it is the same case."""
        ...

    def move_case(self, case: str, move: Body, *, version: int, idempotency_key: str | None = None) -> answers.Case:
        """Move a case: `{step, state?, reason?, closure?}`."""
        ...

    def note(self, case: str, note: Body, *, idempotency_key: str | None = None) -> answers.Noted:
        """Note that something happened: `{kind, channel?, digest?, task?: {agency, due?}}`."""
        ...

    # ── consents ──

    def consents(self, case: str) -> Iterator[answers.Consent]:
        """Give the consents of a case that we may see."""
        ...

    def statement(self, case: str) -> answers.DisclosureStatement:
        """Give every disclosure of one of our cases, also those between others; the hub logs that we asked."""
        ...

    def consent(self, consent: str) -> answers.Consent:
        """Give one consent."""
        ...

    def register_consent(self, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        """Register one signed record for one partner."""
        ...

    def withdraw(
        self,
        consent: str,
        *,
        record: str | None = None,
        to: Sequence[str] = (),
        categories: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> answers.Consent:
        """Take a consent back: by a signed word, or said only (for these agencies and categories; none: for all)."""
        ...

    def renew_status(self, consent: str, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        """Give our signed word that a consent is live."""
        ...

    def exclusions(self, case: str) -> tuple[answers.Exclusion, ...]:
        """Give the person's refusals that we may see."""
        ...

    def exclude(self, case: str, record: str, *, idempotency_key: str | None = None) -> answers.Exclusion:
        """Register a signed refusal."""
        ...

    def revoke_exclusion(
        self, case: str, exclusion: str, record: str, *, idempotency_key: str | None = None
    ) -> answers.Exclusion:
        """End a refusal by the person's signed word."""
        ...

    def ask(
        self, *, case: str, to: str, purpose: str, categories: Sequence[str], basis: ManifestBasis | None = None
    ) -> threads.Decided:
        """Ask what would be allowed now; the question is logged."""
        ...

    # ── messages ──

    def inbox(self, *, wait: int = 0) -> Iterator[threads.Waiting]:
        """Give what waits for us; with `wait`, wait so many seconds (at most 25) when there is nothing new."""
        ...

    def collect(self, message: str) -> threads.HandedOver:
        """Have a message handed over, decided once more; `message` is the hub's id. Our own: how it stands."""
        ...

    def acknowledge(self, message: str, receipt: str, *, idempotency_key: str | None = None) -> threads.ReceiptTaken:
        """Send a signed receipt for a message (the hub's id)."""
        ...

    def notices(self, *, open_only: bool = True) -> Iterator[threads.Notice]:
        """Give the requests to stop using something."""
        ...

    def answer_notice(self, notice: str, record: str, *, idempotency_key: str | None = None) -> threads.Notice:
        """Answer a notice by our signed word."""
        ...

    # ── referrals ──

    def open_referral(
        self, manifest: str, parts: Sequence[str], *, telephone: Body | None = None, idempotency_key: str | None = None
    ) -> threads.Opened:
        """Send a referral; `telephone` `{at, result}` is the call that goes with an immediate one."""
        ...

    def send_message(
        self, referral: str, manifest: str, parts: Sequence[str], *, idempotency_key: str | None = None
    ) -> threads.MessageAccepted:
        """Send a further message in a referral's thread."""
        ...

    def referrals(
        self,
        *,
        role: str | None = None,
        state: str | None = None,
        overdue: bool | None = None,
        updated_after: datetime | None = None,
        case: str | None = None,
    ) -> Iterator[threads.Referral]:
        """Give the referrals that we send, receive or coordinate, longest unchanged first."""
        ...

    def referral(self, referral: str) -> threads.ReferralDetail:
        """Give one referral with all that went on."""
        ...

    def move(
        self,
        referral: str,
        event: str,
        said: Body | None = None,
        *,
        version: int,
        idempotency_key: str | None = None,
    ) -> threads.Referral:
        """Make a move: `event` is one of the referral's `actions`, `said` what the move must say."""
        ...

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
        """Refer a declined need on; with a `reason`, as the result of a conference."""
        ...

    def record_accompaniment(
        self, referral: str, going: Body, *, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        """Write an accompaniment down, planned or past."""
        ...

    def change_accompaniment(
        self, referral: str, n: int, going: Body, *, version: int, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        """Carry an accompaniment on; the whole record is sent."""
        ...

    def set_follow_up(
        self,
        referral: str,
        *,
        due: date | None = None,
        preset: str | None = None,
        idempotency_key: str | None = None,
    ) -> threads.FollowUp:
        """Set a follow-up for a day or by a preset."""
        ...

    def finish_follow_up(
        self, referral: str, n: int, answer: Body, *, idempotency_key: str | None = None
    ) -> tuple[threads.FollowUp, ...]:
        """Write down who was asked and what came of it; gives it, and the next one if a day was named."""
        ...

    # ── tasks, meetings, events ──

    def tasks(self, *, done: bool = False) -> Iterator[answers.Task]:
        """Give what timers and people raised for us."""
        ...

    def finish_task(self, task: str, *, idempotency_key: str | None = None) -> answers.Task:
        """Mark a task done."""
        ...

    def meetings(self) -> Iterator[answers.Meeting]:
        """Give the meetings to which we were invited."""
        ...

    def meeting(self, meeting: str) -> answers.MeetingDetail:
        """Give one meeting with its agenda and decisions."""
        ...

    def convene(
        self,
        kind: str,
        *,
        members: Sequence[str],
        until: datetime,
        case: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Meeting:
        """Convene a `shien_chosei_kaigi` or a `shien_kaigi`."""
        ...

    def accept_meeting(self, meeting: str, *, idempotency_key: str | None = None) -> answers.Meeting:
        """Accept membership, and with it the duty of secrecy."""
        ...

    def put_on_agenda(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        """Put a point on the agenda: `{code?, case?}`."""
        ...

    def record_decision(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        """Record what was decided: `{code, case?}`."""
        ...

    def end_meeting(self, meeting: str, *, version: int, idempotency_key: str | None = None) -> answers.Meeting:
        """End a meeting, as its convenor."""
        ...

    def events(self, *, cursor: str | None = None, wait: int = 0) -> answers.Events:
        """Give what came after the cursor; with `wait`, wait so many seconds (at most 25) when there is nothing."""
        ...

    @property
    def webhooks(self) -> Webhooks:
        """Give the calls that have the feed sent to an address of ours."""
        ...

    # ── samples of paper ──

    def sample(self, sample: str) -> answers.PaperSample:
        """Say of which of our consents an officer wants to have the paper held against its commitment."""
        ...

    def answer_sample(
        self, sample: str, evidence: str | None, *, idempotency_key: str | None = None
    ) -> answers.PaperSample:
        """Answer with the HMAC computed anew from scan and key, in hexadecimal; none where there is no paper."""
        ...

    # ── the log ──

    def hub_keys(self) -> answers.HubKeys:
        """Give the public keys of the log and of the hub's receipts; whoever relies on them compares them once."""
        ...

    def log_tile(self, level: int, number: int, width: int) -> bytes:
        """Give `width` hashes of a tile of the tree, 32 bytes each (C2SP tlog-tiles; 256 to a full one)."""
        ...

    def checkpoint(self) -> str:
        """Give the newest checkpoint as it was signed (a C2SP note)."""
        ...

    def witnessed_checkpoint(self) -> str:
        """Give the newest checkpoint that enough witnesses cosigned, with their lines; 404 where there is none yet."""
        ...

    def anchor(self, day: date, *, root: str, count: int, idempotency_key: str | None = None) -> answers.Anchored:
        """Anchor one past day of our own access log: its root in hexadecimal; another root for the day is refused."""
        ...

    def log_entries(self, *, case: str | None = None) -> Iterator[answers.LogEntry]:
        """Give the entries that name us, of one case or all."""
        ...

    def log_evidence(self) -> Iterator[answers.Evidence]:
        """Give the entries that name us with what was signed about them, in the order of the log."""
        ...

    def log_checkpoints(self) -> Iterator[answers.Checkpoint]:
        """Give every checkpoint, smallest first."""
        ...

    def log_entry(self, entry: str) -> answers.ProvedEntry:
        """Give one entry with its proof; 404 while it waits for the sequencer."""
        ...

    def log_proof(self, index: int) -> answers.LogProof:
        """Give the proof that the entry at an index is in the log."""
        ...
