# SPDX-License-Identifier: Apache-2.0
"""The calls about samples of paper: which form an officer drew, and the answer."""

from __future__ import annotations

from typing_extensions import override

from connectors.sdk import answers
from connectors.sdk.calling import Calling


class WithSamples(Calling):
    """A client's part: samples of paper."""

    @override
    def sample(self, sample: str) -> answers.PaperSample:
        return self._get(answers.PaperSample, f"/v1/samples/{sample}")

    @override
    def answer_sample(
        self, sample: str, evidence: str | None, *, idempotency_key: str | None = None
    ) -> answers.PaperSample:
        body = {"evidence": evidence}
        return self._post(answers.PaperSample, f"/v1/samples/{sample}/answer", body, idempotency_key)
