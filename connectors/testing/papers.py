# SPDX-License-Identifier: Apache-2.0
"""Samples of paper at a `MemoryHub`: an officer draws a consent, its signer answers, the commitment decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from typing_extensions import override

from connectors.sdk import answers
from connectors.testing.memory import MemoryHub, refuse
from connectors.testing.view import View

_DUE = timedelta(days=7)


def draw(hub: MemoryHub, agency: str, consent: str) -> answers.PaperSample:
    """Draw one consent of an agency, as an officer's drawing does: a task and an event tell it."""
    kept, now = hub.consents[consent], hub.clock()
    made = answers.PaperSample(
        id=hub.new_id(), consent=consent, case=kept.record.case, due_at=now + _DUE, actions=("answer",)
    )
    task = answers.Task(
        id=hub.new_id(), kind="paper_sample", label="paper_sample", about=made.id, case=made.case, due_at=made.due_at,
        raised_at=now,
    )  # fmt: skip
    hub.samples[made.id] = (agency, made)
    hub.tasks.append((agency, task))
    hub.tell((agency,), "paper:asked", made.id)
    return made


class WithPapers(View):
    """A seat's part: samples of paper."""

    @override
    def sample(self, sample: str) -> answers.PaperSample:
        agency, found = self._hub.samples.get(sample, ("", None))
        return found if found is not None and agency == self._agency else refuse(404, "not-found")

    @override
    def answer_sample(
        self, sample: str, evidence: str | None, *, idempotency_key: str | None = None
    ) -> answers.PaperSample:
        return self._once(idempotency_key, lambda: self._answer_sample(sample, evidence))

    def _answer_sample(self, sample: str, evidence: str | None) -> answers.PaperSample:
        found, now = self.sample(sample), self._hub.clock()
        if found.outcome is not None:
            refuse(409, "already-answered")
        same = evidence == self._hub.consents[found.consent].record.evidence
        outcome = "not_found" if evidence is None else "matches" if same else "differs"
        answered = replace(found, outcome=outcome, answered_at=now, actions=())
        self._hub.samples[sample] = (self._agency, answered)
        for place, (agency, task) in enumerate(self._hub.tasks):
            if task.about == sample:
                self._hub.tasks[place] = (agency, replace(task, done_at=now))
        return answered
