# SPDX-License-Identifier: Apache-2.0
"""The calls about cases and what people said of them: consents, refusals, what the hub would decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import override

from connectors.sdk import answers, threads
from connectors.sdk.calling import Calling
from connectors.sdk.interface import Body
from connectors.sdk.reading import read
from consent import wire
from consent.envelope.manifest import ManifestBasis


class WithCases(Calling):
    """A client's part: cases, consents, refusals, decisions."""

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
    def statement(self, case: str) -> answers.DisclosureStatement:
        return self._get(answers.DisclosureStatement, f"/v1/cases/{case}/statement")

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
