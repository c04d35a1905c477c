# SPDX-License-Identifier: Apache-2.0
"""What the hub answers about agencies, cases, consents, meetings, tasks, events and the log, as frozen dataclasses.

Members are named as in the API. Read by `sdk.reading`. What it answers about referrals and messages is in `threads`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import AwareDatetime as Moment

from consent.keys import SignedEntry

# ── the directory ──


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentKey:
    """A key that the hub says is good now; trust it only through its entry (`AgencyKeys`)."""

    use: str
    suite: str | None = None
    kid: str
    jwk: dict[str, str]
    not_before: Moment
    ends_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency of the directory; `name` by language."""

    id: str
    kind: str
    name: dict[str, str]
    state: str
    services: tuple[str, ...] = ()
    area: tuple[str, ...] = ()
    hours: str = ""
    answer_days: int | None = None
    capacity: str = ""
    categories: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    coordinates: bool = False
    may_convene: bool = False
    last_verified: Moment | None = None
    keys: tuple[CurrentKey, ...] = ()
    next_keys: tuple[CurrentKey, ...] = ()
    """Published and not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One key entry with its signatures, when the key ends, and its entry of the log with proof (None for a while)."""

    use: str
    suite: str | None = None
    kid: str
    seq: int
    removal: bool
    signed: SignedEntry
    published_at: Moment
    ends_at: Moment
    ended_by: str | None = None
    log_entry: str
    logged: str | None = None
    proof: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyKeys:
    """Every key entry of an agency, chain by chain, and its root key."""

    agency: str
    root: dict[str, str]
    keys: tuple[PublishedKey, ...]


# ── cases ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Where a case stands; `case` is the agency's handle, `id` the hub's own."""

    id: str
    case: str
    owner: str
    step: str
    state: str
    version: int
    opened_at: Moment
    moved_at: Moment
    closed_at: Moment | None = None
    next_steps: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a case's history."""

    step: str
    state: str
    reason: str | None = None
    at: Moment
    closure_ground: str | None = None
    follow_up_on: date | None = None
    no_follow_up_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """That something of a kind was noted."""

    id: str
    author: str
    kind: str
    channel: str | None = None
    digest: str | None = None
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDetail(Case):
    """A case with its history, which is its owner's alone, and the notes that may be seen."""

    history: tuple[Step, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a note became: `entry` of the log, and the task if one was asked for."""

    id: str
    entry: str
    task: str | None = None


# ── consents ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was taken back of a consent, as far as it is about us; empty means all."""

    at: Moment
    to: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The newest signed word that a consent is live."""

    record: str
    hash: str
    as_of: Moment
    next_by: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One registered consent; `record` is to be verified with the key of `agency`."""

    id: str
    case: str
    agency: str
    partner: str
    record: str
    hash: str
    registered_at: Moment
    valid_until: Moment
    withdrawn: bool
    withdrawals: tuple[Withdrawn, ...] = ()
    superseded_at: Moment | None = None
    status: Status | None = None
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedPart:
    """One category that was disclosed, and the consent it rested on (None for the other bases)."""

    category: str
    consent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One disclosure of a case, by whomever; `decision` is the log's entry that holds the decision."""

    message: str
    at: Moment
    sender: str
    recipient: str
    purpose: str
    kind: str
    basis: str
    shared: tuple[SharedPart, ...]
    decision: str
    state: str
    handed_over_at: Moment | None = None
    delivered_at: Moment | None = None
    opened_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureStatement:
    """Every disclosure of one of our cases, oldest first, by pseudonym: the name is joined here alone."""

    case: str
    made_at: Moment
    items: tuple[Disclosure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """One refusal of the person, as far as we may know it; `record` is None where it names others too."""

    id: str
    agency: str
    to: tuple[str, ...]
    categories: tuple[str, ...]
    from_time: Moment
    record: str | None = None
    hash: str = ""
    registered_at: Moment
    revoked_at: Moment | None = None
    actions: tuple[str, ...] = ()


# ── meetings, tasks, events ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A 支援調整会議 or 支援会議 as those who were invited see it."""

    id: str
    kind: str
    convenor: str
    case: str | None = None
    members: tuple[str, ...]
    accepted: tuple[str, ...]
    until: Moment
    convened_at: Moment
    ended_at: Moment | None = None
    version: int
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a meeting's agenda or decisions."""

    id: str
    code: str | None = None
    case: str | None = None
    author: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingDetail(Meeting):
    """A meeting with its agenda and its decisions."""

    agenda: tuple[Item, ...] = ()
    decisions: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What somebody here has to do, about which thing, and by when."""

    id: str
    kind: str
    label: str
    about: str
    case: str | None = None
    due_at: Moment | None = None
    raised_at: Moment
    done_at: Moment | None = None
    overdue: bool = False
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change that concerns us: its kind, and the id of the thing to ask for."""

    id: str
    event: str
    about: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """What is new, and where to go on reading."""

    items: tuple[Event, ...]
    next_cursor: str | None = None


# ── the log ──


@dataclass(frozen=True, slots=True, kw_only=True)
class HubKeys:
    """What the hub's signatures are verified with: `log` as C2SP tools read it, `receipt` as a JWK."""

    log: str
    receipt: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An entry in its place; its leaf hash is over the bytes of `entry`."""

    index: int
    id: str
    entry: str
    logged_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(LogEntry):
    """An entry with the signed documents that it speaks of, by what they are to it."""

    documents: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed state of the log as a C2SP note."""

    size: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedEntry(LogEntry):
    """An entry with its proof (C2SP tlog-proof, the signed checkpoint in it)."""

    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """The proof that whatever stands at `index` is in the tree of `size` entries."""

    index: int
    size: int
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSample:
    """A paper form that an officer drew: which of our consents it is, by when to answer, and what came of it."""

    id: str
    consent: str
    case: str
    due_at: Moment
    outcome: str | None = None
    answered_at: Moment | None = None
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A day of our own access log as the hub's log holds it; `entry` is the id of that entry."""

    day: date
    root: str
    count: int
    entry: str
    anchored_at: Moment
