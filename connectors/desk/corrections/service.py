# SPDX-License-Identifier: Apache-2.0
"""Making a correction known: sealed in one transaction for everybody who may be told, then carried to the hub."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence

from connectors.base.errors import ConnectorError
from connectors.casebook import corrections, deeds
from connectors.casebook.corrections import Made, Wording
from connectors.desk.web.visits import Visit
from connectors.sdk.problems import ProblemError


def learn(visit: Visit, case: str) -> None:
    """Learn how a case stands and say anew that our consents are live; with the line down, what is known serves."""
    with contextlib.suppress(ConnectorError, ProblemError):
        visit.site.connector.renew_statuses()
        visit.site.connector.refresh_case(case)


def make_known(visit: Visit, wording: Wording, chosen: Collection[str]) -> None:
    """Seal a correction for the chosen threads, queue and carry all; the same form again is the same correction.

    *Raises* as `corrections.make_known`; nothing has changed then.
    """
    with visit.book() as connection:
        sealed = corrections.make_known(connection, visit.pen(), wording, chosen, own=visit.site.connector.own_key())
    _carry(visit, sealed)


def try_again(visit: Visit, found: Made) -> int:
    """Tell whoever could not be told and may be now; give how many.

    *Raises* as `corrections.try_again`.
    """
    learn(visit, found.case)
    with visit.book() as connection:
        sealed = corrections.try_again(connection, visit.pen(), found.id, own=visit.site.connector.own_key())
    _carry(visit, sealed)
    return len(sealed)


def freshen(visit: Visit, found: Made) -> None:
    """Learn from the hub who has confirmed, if it answers."""
    with contextlib.suppress(ConnectorError, ProblemError):
        for referral in dict.fromkeys(one.referral for one in found.told if one.message and one.confirmed_at is None):
            visit.site.connector.refresh_referral(referral)


def _carry(visit: Visit, sealed: Sequence[str]) -> None:
    """Have the notices brought to the hub; what does not get there now goes on waiting."""
    with visit.book() as connection:
        rows = [deeds.latest(connection, "message", one) for one in sealed]
    for row in rows:
        if row is not None:
            visit.site.courier.deliver(row.key)
