# SPDX-License-Identifier: Apache-2.0
"""The calls about messages and referrals: what came, what is sent, moves, accompaniment, follow-up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from typing_extensions import override

from connectors.sdk import threads
from connectors.sdk.calling import MARGIN, Calling, new_key, plain, tag_of
from connectors.sdk.interface import Body
from connectors.sdk.reading import read


class WithReferrals(Calling):
    """A client's part: messages, notices, referrals."""

    # ── messages ──

    @override
    def inbox(self, *, wait: int = 0) -> Iterator[threads.Waiting]:
        return self._pages(threads.Waiting, "/v1/inbox", {"wait": wait or None}, patience=wait + MARGIN)

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
        key = idempotency_key or new_key()
        answer = self._session.patch(path, plain(going), idempotency_key=key, if_match=tag_of(version))
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
        told = self._session.post(path, plain(answer), idempotency_key=idempotency_key or new_key())
        return read(tuple[threads.FollowUp, ...], told.body.get("items"))


def _envelope(manifest: str, parts: Sequence[str], telephone: Body | None = None) -> dict[str, Any]:
    call = {} if telephone is None else {"telephone": telephone}
    return {"manifest": manifest, "parts": list(parts), **call}
