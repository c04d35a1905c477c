# SPDX-License-Identifier: Apache-2.0
"""`HubClient`: the calls of `interface.Hub` over HTTPS, one line of the API each. What they mean stands there.

No state but the session's: one client serves any number of threads. Its parts are named after what they ask about
(`case_calls`, `referral_calls`, `log_calls`, …); how a call is made stands in `calling`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from typing_extensions import override

from connectors.sdk import answers
from connectors.sdk.anchor_calls import WithAnchors
from connectors.sdk.calling import MARGIN, query_of
from connectors.sdk.case_calls import WithCases
from connectors.sdk.interface import Body
from connectors.sdk.log_calls import WithLog
from connectors.sdk.reading import read
from connectors.sdk.referral_calls import WithReferrals
from connectors.sdk.sample_calls import WithSamples
from connectors.sdk.session import HubSession
from connectors.sdk.webhook_calls import WithWebhooks
from consent.keys import SignedEntry


class HubClient(WithCases, WithReferrals, WithLog, WithWebhooks, WithSamples, WithAnchors):
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
        query = query_of({"cursor": cursor, "wait": wait or None})
        return read(answers.Events, self._session.get("/v1/events", query, patience=wait + MARGIN).body)
