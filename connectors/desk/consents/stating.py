# SPDX-License-Identifier: Apache-2.0
"""The person's statement: who was told what, on one A4 page; the hub's, by pseudonym, joined with the name here.

The hub knows also what others told each other; this office alone would not know that it is all. So without the line
there is no statement, only this office's own record (`ledger`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import request
from werkzeug.exceptions import NotFound

from connectors.base.errors import HubAwayError
from connectors.casebook import access
from connectors.desk.cases.reads import person_bar
from connectors.desk.consents import reads
from connectors.desk.consents.blueprint import blueprint
from connectors.desk.consents.wording import Wording, languages, wording
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Visit
from connectors.sdk.answers import Disclosure, DisclosureStatement
from connectors.sdk.problems import ProblemError
from consent.vocabulary.codes import CODE_LISTS

OPENED: Final = "opened"
ARRIVED: Final = "arrived"
WAITING: Final = "waiting"
STOPPED: Final = "stopped"
_UNKNOWN: Final = 404
_ENDED: Final = frozenset({"refused", "destroyed", "undeliverable"})
_REASONS: Final = {"emergency": "told-urgent", "statute": "told-law", "shien_kaigi": "told-law"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one agency told another on one basis: how often, when, what, what for, and how far it got.

    `reason` is the key of the sentence that says why consent was not asked; None where it rested on consent.
    """

    sender: str
    recipient: str
    times: int
    first: datetime
    last: datetime
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    reached: str
    reason: str | None


@page(blueprint, "/cases/<case>/statement", who=Access.CASEWORK)
def statement(visit: Visit, case: str) -> tuple[str, int]:
    """Show what was told about a person and to whom, for the person to take home; the look is logged here and there.

    *Raises* NotFound: the case is another agency's, whose part this is.
    """
    with visit.book() as connection:
        bar = person_bar(connection, visit, case)
        if not bar.is_ours:
            raise NotFound
        names, kinds = reads.name_partners(connection), reads.kinds_of(connection)
    made, fault = _ask(visit, bar.case)
    with visit.book() as connection:
        about = str(len(made.items)) if made else fault or ""
        access.record(connection, staff=visit.me.id, action="statement:read", about=about, case=case, now=visit.at)
    words = wording(request.args.get("words"), visit.language)
    return render(
        "consents/statement.html",
        bar=bar,
        case=case,
        made=made,
        fault=fault,
        told=() if made is None else gather(made.items),
        names=names,
        kinds=kinds,
        words=words,
        choices=[Wording(code) for code in languages()],
    )


def gather(items: Sequence[Disclosure]) -> tuple[Told, ...]:
    """Put disclosures together by who told whom on which ground, so that a long story still fits one page."""
    grouped: dict[tuple[str, str, str | None, str], list[Disclosure]] = {}
    for one in items:
        grouped.setdefault((one.sender, one.recipient, _REASONS.get(one.basis), reached(one)), []).append(one)
    told = (_told(key, found) for key, found in grouped.items())
    return tuple(sorted(told, key=lambda one: (one.first, one.sender, one.recipient)))


def reached(one: Disclosure) -> str:
    """Say how far a disclosure got."""
    if one.opened_at is not None or one.state == "opened":
        return OPENED
    if one.delivered_at is not None or one.handed_over_at is not None or one.state == "delivered":
        return ARRIVED
    return STOPPED if one.state in _ENDED else WAITING


def _told(key: tuple[str, str, str | None, str], found: Sequence[Disclosure]) -> Told:
    sender, recipient, reason, state = key
    categories = {part.category for one in found for part in one.shared}
    purposes: Mapping[str, None] = dict.fromkeys(one.purpose for one in found)
    return Told(
        sender=sender,
        recipient=recipient,
        times=len(found),
        first=min(one.at for one in found),
        last=max(one.at for one in found),
        categories=tuple(code for code in CODE_LISTS["categories"] if code in categories),
        purposes=tuple(purposes),
        reached=state,
        reason=reason,
    )


def _ask(visit: Visit, case: str) -> tuple[DisclosureStatement | None, str | None]:
    """Ask the hub; give its statement, or why there is none."""
    try:
        return visit.site.connector.hub.statement(case), None
    except HubAwayError:
        return None, "away"
    except ProblemError as error:
        if error.status != _UNKNOWN:
            return None, "away"
        return None, "none"
