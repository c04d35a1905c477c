# SPDX-License-Identifier: Apache-2.0
"""What several pages of the slice show alike: whom and what one may choose, how a word to the hub fared, QR codes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError, HubAwayError
from connectors.base.labels import codes, label
from connectors.casebook import access, files, referrals
from connectors.desk.cases.reads import PersonBar
from connectors.desk.consents import provisions, reads
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Visit
from connectors.sdk.problems import ProblemError
from connectors.sdk.threads import Notice
from consent.scopes import ANY

_WORST_FIRST = ("refused", "waiting", "sent")
_TONES = {"refused": "bad", "waiting": "wait", "sent": "good"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticedItem:
    """One message of a notice: what is to be used no more of it; `at` is none where it is not here."""

    sender: dict[str, str]
    at: datetime | None
    referral: str | None
    categories: tuple[str, ...]


def require_ours(bar: PersonBar) -> None:
    """Let through a case of our own: only its intake agency writes down what a person allows and refuses.

    *Raises* `ConnectorError("case-unknown")`.
    """
    if not bar.is_ours:
        raise ConnectorError("case-unknown")


def name_of(partner: str, names: Any, visit: Visit) -> str:
    """Give what people call a partner: an agency's name, or what its kind is called."""
    if partner == ANY:
        return text("consents.everybody", visit.language)
    return str(names[partner][visit.language]) if partner in names else label("recipients", partner, visit.language)


def reason_key(code: str) -> str:
    """Give the key of the sentence that says why the hub did not register something."""
    key = f"consents.refused-{code}"
    return key if is_text(key) else "consents.refused-other"


def whom(connection: Connection, visit: Visit, case: str) -> list[tuple[str, str]]:
    """Give whom a refusal may be about: everybody, whom records name, the agencies and kinds of the network."""
    names, kinds = reads.name_partners(connection), reads.kinds_of(connection)
    entries = reads.entries_of(connection, visit, case)
    others = [one for one in names if one != visit.site.connector.agency]
    wanted = [ANY, *reads.partners_of(entries), *others, *dict.fromkeys(kinds[one] for one in others)]
    return [(one, name_of(one, names, visit)) for one in dict.fromkeys(wanted)]


def what(visit: Visit) -> list[tuple[str, str]]:
    """Give what a refusal may be about: everything, or the categories."""
    rows = [(code, row[visit.language]) for code, row in codes("categories").items()]
    return [(ANY, text("consents.everything", visit.language)), *rows]


def carried(visit: Visit, keys: Sequence[str], said: str) -> tuple[str, str]:
    """Have words brought to the hub; `said` begins the key of what to say of it; give the key and the tone.

    The local change holds in any case: what only takes away does not wait for the hub.
    """
    states = {visit.site.courier.deliver(key).state for key in keys}
    worst = next((one for one in _WORST_FIRST if one in states), "sent")
    return f"{said}{worst}", _TONES[worst]


def freshen(visit: Visit, case: str) -> None:
    """Learn from the hub how a case and its referrals stand after a change, if it answers."""
    with contextlib.suppress(HubAwayError, ProblemError):
        visit.site.connector.refresh_case(case)
        with visit.book() as connection:
            known = [one.id for one in referrals.of_case(connection, case)]
        for referral in known:
            visit.site.connector.refresh_referral(referral)


def names_of_cases(connection: Connection, visit: Visit, cases: Iterable[str]) -> dict[str, str]:
    """Give who stands behind some cases, for a list; the look is logged as one."""
    found = files.people_of(connection, cases)
    access.record(connection, staff=visit.me.id, action="notices:listed", about=str(len(found)), now=visit.at)
    return {case: person.name for case, person in found.items()}


def items_of(connection: Connection, visit: Visit, notice: Notice) -> list[NoticedItem]:
    """Give what a notice is about, with what is known here of each message."""
    agency = visit.site.connector.agency
    found = provisions.list_provisions(connection, agency, notice.case)
    received = {(one.message, one.giver.agency): one for one in found if not one.is_given}
    names = reads.name_partners(connection)
    items = []
    for item in notice.items:
        known = received.get((item.message, item.sender))
        items.append(
            NoticedItem(
                sender=dict(names.get(item.sender, {"ja": item.sender, "en": item.sender})),
                at=known.at if known else None,
                referral=known.referral if known else None,
                categories=item.categories,
            )
        )
    return items


def copy_address(hub: str, consent: str, code: str) -> str:
    """Give the address of a copy's page at the hub, in capitals: a code of capitals and digits is a smaller picture."""
    return f"{hub.rstrip('/')}/c/{consent}/{code}".upper()


def qr_code(said: str) -> str:
    """Draw a QR code as SVG without any style of its own, to stand in an image that the page names."""
    return segno.make(said, error="m", micro=False).svg_inline(svgclass="qr", lineclass=None, omitsize=True, border=2)


def labelled(categories: Iterable[str], visit: Visit) -> list[tuple[str, str]]:
    """Give categories with their labels, in the vocabulary's order."""
    wanted = set(categories)
    return [(code, row[visit.language]) for code, row in codes("categories").items() if code in wanted]
