# SPDX-License-Identifier: Apache-2.0
"""The call that anchors a day of the agency's own access log in the hub's log."""

from __future__ import annotations

import uuid
from datetime import date

from typing_extensions import override

from connectors.sdk import answers
from connectors.sdk.interface import Hub
from connectors.sdk.reading import read
from connectors.sdk.session import HubSession


class WithAnchors(Hub):
    """A client's part: anchors."""

    _session: HubSession

    @override
    def anchor(self, day: date, *, root: str, count: int, idempotency_key: str | None = None) -> answers.Anchored:
        body = {"day": day.isoformat(), "root": root, "count": count}
        key = idempotency_key or str(uuid.uuid4())
        return read(answers.Anchored, self._session.post("/v1/audit/anchors", body, idempotency_key=key).body)
