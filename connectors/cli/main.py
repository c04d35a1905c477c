# SPDX-License-Identifier: Apache-2.0
"""The entry of `tsunagi`: every noun in the order of its help."""

from __future__ import annotations

from typing import Final

from connectors.cli import (
    agencies,
    audit,
    beside,
    cases,
    consents,
    corrections,
    doctor,
    exchange,
    forms,
    inbox,
    keys,
    meetings,
    moves,
    notices,
    people,
    referrals,
    registers,
    rounds,
    samples,
    serving,
    webhooks,
    witnesses,
)
from connectors.cli.frame import Root, version_flag

main: Final = Root("tsunagi", version_flag())

for noun in (
    agencies.agency,
    keys.keys,
    people.person,
    people.answers,
    cases.case,
    forms.form,
    consents.consent,
    referrals.referral,
    inbox.inbox,
    beside.accompany,
    beside.follow_up,
    meetings.task,
    meetings.meeting,
    notices.notice,
    corrections.correction,
    samples.sample,
    webhooks.webhook,
    exchange.taking_in,
    exchange.giving_out,
    audit.audit,
    witnesses.witness,
):
    main.add_command(noun)

registers.add_to(exchange.taking_in)
moves.add_to(referrals.referral)
rounds.add_to(main)
serving.add_to(main)
doctor.add_to(main)
