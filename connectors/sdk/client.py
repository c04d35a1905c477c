# SPDX-License-Identifier: Apache-2.0
"""`HubClient`: the calls of `interface.Hub` over HTTPS, one line of the API each. What they mean stands there.

No state but the session's: one client serves any number of threads.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

from typing_extensions import override

from connectors.sdk import answers, threads
from connectors.sdk.anchor_calls import WithAnchors
from connectors.sdk.interface import Body, Hub
from connectors.sdk.reading import read
from connectors.sdk.session import HubSession
from connectors.sdk.webhook_calls import WithWebhooks
from consent import wire
from consent.envelope.manifest import ManifestBasis
from consent.keys import SignedEntry

Shape = TypeVar("Shape")

TILE_WIDTH: Final = 256
_MARGIN: Final = 30.0
"""Seconds that a long poll may take beyond what it waits."""


class HubClient(WithWebhooks, WithAnchors, Hub):
    """The hub over HTTPS as one client of one agency."""

    def __init__(self, session: HubSession) -> None:
        """Take the session that knows tokens and retries."""
        self._session = session

    # ── the directory ──

    @override
    def agencies(self, *, kind: str | None = None, purpose: str | None = None) -> Iterator[answers.Agency]:
        return self._pages(answers.Agency, "/v1/agencies", {"kind": kind, "purpose": purpose})

    @override
    def agency(self, agency: str) -> answers.Agency:
        return self._get(answers.Agency, f"/v1/agencies/{agency}")

    @override
    def agency_keys(self, agency: str) -> answers.AgencyKeys:
        return self._get(answers.AgencyKeys, f"/v1/agencies/{agency}/keys")

    @override
    def publish_key(self, signed: SignedEntry, *, idempotency_key: str | None = None) -> answers.PublishedKey:
        body = {"by_self": signed.by_self, "by_previous": signed.by_previous, "by_root": signed.by_root}
        return self._post(answers.PublishedKey, "/v1/keys", body, idempotency_key)

    # ── cases ──

    @override
    def cases(self) -> Iterator[answers.Case]:
        return self._pages(answers.Case, "/v1/cases")

    @override
    def case(self, case: str) -> answers.CaseDetail:
        return self._get(answers.CaseDetail, f"/v1/cases/{case}")

    @override
    def open_case(self, case: str, *, idempotency_key: str | None = None) -> answers.Case:
        return self._post(answers.Case, "/v1/cases", {"case": case}, idempotency_key)

    @override
    def move_case(self, case: str, move: Body, *, version: int, idempotency_key: str | None = None) -> answers.Case:
        return self._post(answers.Case, f"/v1/cases/{case}/steps", move, idempotency_key, version)

    @override
    def note(self, case: str, note: Body, *, idempotency_key: str | None = None) -> answers.Noted:
        return self._post(answers.Noted, f"/v1/cases/{case}/notes", note, idempotency_key)

    # ── consents ──

    @override
    def consents(self, case: str) -> Iterator[answers.Consent]:
        return self._pages(answers.Consent, "/v1/consents", {"case": case})

    @override
    def consent(self, consent: str) -> answers.Consent:
        return self._get(answers.Consent, f"/v1/consents/{consent}")

    @override
    def register_consent(self, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        return self._post(answers.Consent, "/v1/consents", {"record": record}, idempotency_key)

    @override
    def withdraw(
        self,
        consent: str,
        *,
        record: str | None = None,
        to: Sequence[str] = (),
        categories: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> answers.Consent:
        said: Body = {"to": list(to), "categories": list(categories)} if record is None else {"record": record}
        return self._post(answers.Consent, f"/v1/consents/{consent}/withdraw", said, idempotency_key)

    @override
    def renew_status(self, consent: str, record: str, *, idempotency_key: str | None = None) -> answers.Consent:
        return self._post(answers.Consent, f"/v1/consents/{consent}/status", {"record": record}, idempotency_key)

    @override
    def exclusions(self, case: str) -> tuple[answers.Exclusion, ...]:
        answer = self._session.get(f"/v1/cases/{case}/exclusions")
        return read(tuple[answers.Exclusion, ...], answer.body.get("items"))

    @override
    def exclude(self, case: str, record: str, *, idempotency_key: str | None = None) -> answers.Exclusion:
        return self._post(answers.Exclusion, f"/v1/cases/{case}/exclusions", {"record": record}, idempotency_key)

    @override
    def revoke_exclusion(
        self, case: str, exclusion: str, record: str, *, idempotency_key: str | None = None
    ) -> answers.Exclusion:
        path = f"/v1/cases/{case}/exclusions/{exclusion}/revoke"
        return self._post(answers.Exclusion, path, {"record": record}, idempotency_key)

    @override
    def ask(
        self, *, case: str, to: str, purpose: str, categories: Sequence[str], basis: ManifestBasis | None = None
    ) -> threads.Decided:
        body: dict[str, Any] = {"case": case, "to": to, "purpose": purpose, "categories": list(categories)}
        if basis is not None:
            body["basis"] = wire.parse(wire.compact(basis))  # as it would stand in a manifest
        return self._post(threads.Decided, "/v1/decisions", body, None)

    # ── messages ──

    @override
    def inbox(self, *, wait: int = 0) -> Iterator[threads.Waiting]:
        return self._pages(threads.Waiting, "/v1/inbox", {"wait": wait or None}, patience=wait + _MARGIN)

    @override
    def collect(self, message: str) -> threads.HandedOver:
        return self._get(threads.HandedOver, f"/v1/messages/{message}")

    @override
    def acknowledge(self, message: str, receipt: str, *, idempotency_key: str | None = None) -> threads.ReceiptTaken:
        path = f"/v1/messages/{message}/receipts"
        return self._post(threads.ReceiptTaken, path, {"receipt": receipt}, idempotency_key)

    @override
    def notices(self, *, open_only: bool = True) -> Iterator[threads.Notice]:
        return self._pages(threads.Notice, "/v1/notices", {"open": open_only})

    @override
    def answer_notice(self, notice: str, record: str, *, idempotency_key: str | None = None) -> threads.Notice:
        return self._post(threads.Notice, f"/v1/notices/{notice}/answer", {"record": record}, idempotency_key)

    # ── referrals ──

    @override
    def open_referral(
        self, manifest: str, parts: Sequence[str], *, telephone: Body | None = None, idempotency_key: str | None = None
    ) -> threads.Opened:
        body = _envelope(manifest, parts, telephone)
        return self._post(threads.Opened, "/v1/referrals", body, idempotency_key)

    @override
    def send_message(
        self, referral: str, manifest: str, parts: Sequence[str], *, idempotency_key: str | None = None
    ) -> threads.MessageAccepted:
        body = _envelope(manifest, parts)
        return self._post(threads.MessageAccepted, f"/v1/referrals/{referral}/messages", body, idempotency_key)

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
        query = {"role": role, "state": state, "overdue": overdue, "updated_after": updated_after, "case": case}
        return self._pages(threads.Referral, "/v1/referrals", query)

    @override
    def referral(self, referral: str) -> threads.ReferralDetail:
        return self._get(threads.ReferralDetail, f"/v1/referrals/{referral}")

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
        path = f"/v1/referrals/{referral}/{event}"
        return self._post(threads.Referral, path, said or {}, idempotency_key, version)

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
        body = _envelope(manifest, parts, telephone)
        path = f"/v1/referrals/{referral}/refer-on"
        if reason is not None:
            body["reason"] = reason
            path = f"/v1/referrals/{referral}/conference-result"
        return self._post(threads.Rerouted, path, body, idempotency_key, version)

    @override
    def record_accompaniment(
        self, referral: str, going: Body, *, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        return self._post(threads.Accompaniment, f"/v1/referrals/{referral}/accompaniments", going, idempotency_key)

    @override
    def change_accompaniment(
        self, referral: str, n: int, going: Body, *, version: int, idempotency_key: str | None = None
    ) -> threads.Accompaniment:
        path = f"/v1/referrals/{referral}/accompaniments/{n}"
        key = idempotency_key or _new_key()
        answer = self._session.patch(path, _plain(going), idempotency_key=key, if_match=_tag(version))
        return read(threads.Accompaniment, answer.body)

    @override
    def set_follow_up(
        self,
        referral: str,
        *,
        due: date | None = None,
        preset: str | None = None,
        idempotency_key: str | None = None,
    ) -> threads.FollowUp:
        body = {name: value for name, value in (("due", due), ("preset", preset)) if value is not None}
        return self._post(threads.FollowUp, f"/v1/referrals/{referral}/follow-ups", body, idempotency_key)

    @override
    def finish_follow_up(
        self, referral: str, n: int, answer: Body, *, idempotency_key: str | None = None
    ) -> tuple[threads.FollowUp, ...]:
        path = f"/v1/referrals/{referral}/follow-ups/{n}/done"
        told = self._session.post(path, _plain(answer), idempotency_key=idempotency_key or _new_key())
        return read(tuple[threads.FollowUp, ...], told.body.get("items"))

    # ── tasks, meetings, events ──

    @override
    def tasks(self, *, done: bool = False) -> Iterator[answers.Task]:
        return self._pages(answers.Task, "/v1/tasks", {"done": done})

    @override
    def finish_task(self, task: str, *, idempotency_key: str | None = None) -> answers.Task:
        return self._post(answers.Task, f"/v1/tasks/{task}/done", {}, idempotency_key)

    @override
    def meetings(self) -> Iterator[answers.Meeting]:
        return self._pages(answers.Meeting, "/v1/meetings")

    @override
    def meeting(self, meeting: str) -> answers.MeetingDetail:
        return self._get(answers.MeetingDetail, f"/v1/meetings/{meeting}")

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
        body = {"kind": kind, "members": list(members), "until": until, "case": case}
        return self._post(answers.Meeting, "/v1/meetings", body, idempotency_key)

    @override
    def accept_meeting(self, meeting: str, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._post(answers.Meeting, f"/v1/meetings/{meeting}/accept", {}, idempotency_key)

    @override
    def put_on_agenda(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._post(answers.Meeting, f"/v1/meetings/{meeting}/agenda", item, idempotency_key)

    @override
    def record_decision(self, meeting: str, item: Body, *, idempotency_key: str | None = None) -> answers.Meeting:
        return self._post(answers.Meeting, f"/v1/meetings/{meeting}/decisions", item, idempotency_key)

    @override
    def end_meeting(self, meeting: str, *, version: int, idempotency_key: str | None = None) -> answers.Meeting:
        return self._post(answers.Meeting, f"/v1/meetings/{meeting}/end", {}, idempotency_key, version)

    @override
    def events(self, *, cursor: str | None = None, wait: int = 0) -> answers.Events:
        query = _query({"cursor": cursor, "wait": wait or None})
        return read(answers.Events, self._session.get("/v1/events", query, patience=wait + _MARGIN).body)

    # ── the log ──

    @override
    def hub_keys(self) -> answers.HubKeys:
        return self._get(answers.HubKeys, "/v1/audit/keys")

    @override
    def checkpoint(self) -> str:
        return self._session.get("/v1/audit/checkpoint").raw.decode("utf-8", "replace")

    @override
    def log_tile(self, level: int, number: int, width: int) -> bytes:
        return self._session.get(f"/v1/audit/tile/{level}/{_tile_number(number, width)}").raw

    @override
    def log_entries(self, *, case: str | None = None) -> Iterator[answers.LogEntry]:
        return self._pages(answers.LogEntry, "/v1/audit/entries", {"case": case})

    @override
    def log_entry(self, entry: str) -> answers.ProvedEntry:
        return self._get(answers.ProvedEntry, f"/v1/audit/entries/{entry}")

    @override
    def log_proof(self, index: int) -> answers.LogProof:
        return self._get(answers.LogProof, f"/v1/audit/proofs/{index}")

    # ── how ──

    def _get(self, shape: type[Shape], path: str) -> Shape:
        return read(shape, self._session.get(path).body)

    def _post(
        self, shape: type[Shape], path: str, body: Body, idempotency_key: str | None, version: int | None = None
    ) -> Shape:
        tag = None if version is None else _tag(version)
        key = idempotency_key or _new_key()
        return read(shape, self._session.post(path, _plain(body), idempotency_key=key, if_match=tag).body)

    def _pages(
        self, shape: type[Shape], path: str, query: Mapping[str, Any] | None = None, *, patience: float = _MARGIN
    ) -> Iterator[Shape]:
        """Give what is on all pages; only the first one may have to be waited for."""
        asked = dict(query or {})
        while True:
            body = self._session.get(path, _query(asked), patience=patience).body
            yield from read(tuple[shape, ...], body.get("items"))  # type: ignore[valid-type]  # a type made here
            cursor = body.get("next_cursor")
            if cursor is None:
                return
            asked = {**asked, "wait": None, "cursor": cursor}


def _envelope(manifest: str, parts: Sequence[str], telephone: Body | None = None) -> dict[str, Any]:
    call = {} if telephone is None else {"telephone": telephone}
    return {"manifest": manifest, "parts": list(parts), **call}


def _tile_number(number: int, width: int) -> str:
    """Write a tile's number as C2SP tlog-tiles does: 1234067 is x001/x234/067, and `.p/12` if it is not full."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups) + ("" if width == TILE_WIDTH else f".p/{width}")


def _new_key() -> str:
    return str(uuid.uuid4())


def _tag(version: int) -> str:
    return f'"{version}"'


def _query(asked: Mapping[str, Any]) -> dict[str, str]:
    given = {name: _plain(value) for name, value in asked.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    """Write moments as RFC 3339 in UTC and days as dates, wherever they stand."""
    if isinstance(value, datetime):
        return wire.write_moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
