# SPDX-License-Identifier: Apache-2.0
"""Leads a story event by event: moves the clock, has it done, and lays what was got beside what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Final

from connectors.base.errors import ConnectorError
from consent.errors import TsunagiError
from deploy.play import messages, papers, records
from deploy.play.company import Company, assemble
from deploy.play.messages import Answer
from deploy.play.report import ACCEPTED, REFUSED, Played
from deploy.play.stage import open_stage
from deploy.play.story import Event, Story

Said = tuple[str, str]

SENT: Final[Mapping[str, Callable[[Company, Event], Answer]]] = MappingProxyType(
    {"share": messages.share, "report_back": messages.report_back, "pickup": messages.pick_up}
)
WRITTEN: Final[Mapping[str, Callable[[Company, Event], Said]]] = MappingProxyType(
    {
        "consent_grant": papers.grant,
        "exclusion": papers.forbid,
        "consent_withdraw": papers.take_back,
        "conference": papers.convene,
        "accompaniment": records.accompany,
        "follow_up_due": records.follow_up_due,
        "follow_up_done": records.follow_up_done,
        "closure": records.close,
    }
)
"""Every other type becomes a note of that kind (`records.note`)."""


def play(story: Story) -> Iterator[Played]:
    """Play a story on a fresh hub; give each event as it is done (`Story.as_it_happens`)."""
    with open_stage() as stage:
        company = assemble(story, stage)
        for number, event in story.as_it_happens():
            yield perform(company, event, event.n or number)


def perform(company: Company, event: Event, number: int) -> Played:
    """Have one event done at its time."""
    company.wait_until(event.takes_effect.astimezone(UTC))
    if event.type in SENT:
        try:
            answer = SENT[event.type](company, event)
        except (ConnectorError, TsunagiError) as error:
            answer = Answer(got=dict.fromkeys(event.categories, f"ERROR:{error.code}"), outcome=REFUSED)
        return Played(
            n=number,
            type=event.type,
            expect=event.expect,
            got=answer.got,
            outcome=answer.outcome,
            expected_outcome=event.message_outcome,
            remarks=answer.remarks,
            remedies=answer.remedies,
        )
    try:
        word, outcome = WRITTEN.get(event.type, records.note)(company, event)
    except (ConnectorError, TsunagiError) as error:
        word, outcome = f"ERROR:{error.code}", REFUSED
    if event.expect_record == records.RECORDED and outcome == ACCEPTED:
        word = records.RECORDED  # whatever the hub took, it has written into the log
    return Played(n=number, type=event.type, expect=event.expect_record, got=word, outcome=outcome)
