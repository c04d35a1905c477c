# SPDX-License-Identifier: Apache-2.0
"""Whose work is whose, when somebody leaves: open cases and referrals in their charge, and handing them over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, files, referral_files, tables
from connectors.casebook.referral_files import ReferralFile
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import case_files
from connectors.casebook.tables_files import referral_files as table

_OVER: Final = ("closed", "cancelled", "rerouted", "withdrawn", "entered_in_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What somebody looks after: open cases by their handles, referrals that are not over by their files."""

    cases: tuple[str, ...]
    referrals: tuple[ReferralFile, ...]

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to hand over."""
        return not (self.cases or self.referrals)


def charge_of(connection: Connection, worker: str) -> Charge:
    """Give what somebody is in charge of now."""
    cases = connection.execute(
        sa.select(case_files.c.case)
        .join(tables.cases, tables.cases.c.handle == case_files.c.case)
        .where(case_files.c.worker == worker, tables.cases.c.closed_at.is_(None))
        .order_by(case_files.c.number)
    ).scalars()
    threads = connection.execute(sa.select(table.c.thread).where(table.c.worker == worker)).scalars().all()
    over = set(connection.execute(_ended(threads)).scalars())
    known = referral_files.files_of(connection, [one for one in threads if one not in over])
    mine = sorted((one for one in known.values() if one.worker == worker), key=lambda one: one.number)
    return Charge(cases=tuple(cases), referrals=tuple(mine))


def hand_over(connection: Connection, pen: Pen, charge: Charge, *, worker: str, to: str | None, team: str = "") -> None:
    """Hand what somebody is in charge of to another, or to nobody yet; each case and referral says so in the log."""
    for case in charge.cases:
        files.assign(connection, pen, case=case, worker=to, team=team)
    for one in charge.referrals:
        referral_files.assign(connection, pen, one, to)
    access.record(connection, staff=pen.staff, action="cases:handed-over", about=worker, now=pen.now)


def _ended(threads: Sequence[str]) -> sa.Select[tuple[str]]:
    """Select the threads all of whose referrals are over; one that was not sent yet is not."""
    referrals = tables.referrals
    going = sa.func.sum(sa.case((referrals.c.state.in_(_OVER), 0), else_=1))
    return (
        sa.select(referrals.c.thread)
        .where(referrals.c.thread.in_(threads))
        .group_by(referrals.c.thread)
        .having(going == 0)
    )
