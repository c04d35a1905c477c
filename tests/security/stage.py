# SPDX-License-Identifier: Apache-2.0
"""A whole hub with the story's agencies at their real clients, and a fingerprint of everything that is a fact."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from flask import Flask
from psycopg import sql
from werkzeug.test import TestResponse

from consent import signing
from consent.envelope.sealing import Sealed
from consent.jwk import PrivateKey
from consent.wire import compact, from_base64url, to_base64url
from hub.base.config import Settings
from tests.hub.builders import ApiClient, TestAgency, api_client
from tests.hub.conftest import Place
from tests.hub.messages.story import Story

NO_FACTS = frozenset({"audit_pending", "idempotency_keys", "single_uses", "oauth_tokens"})
"""What a refusal may leave: its entry for the log, and the memory of what was used up."""


@dataclass(kw_only=True)
class Stage:
    """`story.j1` counsels, `story.s1` is the council it sends to, `story.f1` an office that no consent names."""

    place: Place
    settings: Settings
    story: Story
    app: Flask
    clients: dict[str, ApiClient] = field(default_factory=dict)

    def by(self, agency: TestAgency) -> ApiClient:
        known = self.clients.get(agency.id)
        return known or self.clients.setdefault(agency.id, api_client(self.app, agency, clock=self.story.time))

    def submit(
        self, manifest: str, parts: Sequence[str], *, agency: TestAgency | None = None, referral: str | None = None
    ) -> TestResponse:
        path = "/v1/referrals" if referral is None else f"/v1/referrals/{referral}/messages"
        return self.by(agency or self.story.j1).post(path, {"manifest": manifest, "parts": list(parts)})

    def send(self, *categories: str, **changes: Any) -> TestResponse:
        sealed = self.story.seal(*categories, **changes)
        return self.submit(sealed.manifest, sealed.parts, agency=changes.get("sender"))

    def facts(self) -> dict[str, str | None]:
        """Give a hash of every table that holds facts, read past row security by the owner of the cluster."""
        with psycopg.connect(self.place.admin_url.replace("+psycopg", "")) as connection:
            names = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
            found: dict[str, str | None] = {}
            for (name,) in names:
                if name in NO_FACTS:
                    continue
                asked = sql.SQL("select md5(string_agg(t::text, chr(10) order by t::text)) from {} t")
                (found[name],) = connection.execute(asked.format(sql.Identifier(name))).fetchone() or (None,)
        return found

    def refused(self, answer: TestResponse, status: int, code: str) -> bool:
        """Require a problem document of this status and code and nothing that a failure would show."""
        assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.get_json()
        assert answer.content_type == "application/problem+json"
        assert "Traceback" not in answer.get_data(as_text=True)
        return True


def manifest_of(sealed: Sealed) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(from_base64url(sealed.manifest.split(".")[1]))
    return found


def resigned(agency: TestAgency, sealed: Sealed, **changes: object) -> str:
    """Sign a manifest that our own code would not sign."""
    return signing.sign(compact(manifest_of(sealed) | changes), typ=signing.Typ.MANIFEST, key=agency.sig)


def with_header(token: str, key: PrivateKey, header: bytes | dict[str, object]) -> str:
    """Sign the payload of a token anew under another header, correctly: the header alone is wrong."""
    first, payload, _ = token.split(".")
    raw = header if isinstance(header, bytes) else compact({**json.loads(from_base64url(first)), **header})
    start = f"{to_base64url(raw)}.{payload}"
    return f"{start}.{to_base64url(key.native.sign(start.encode()))}"  # type: ignore[call-arg, union-attr]
