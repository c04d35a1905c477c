# SPDX-License-Identifier: Apache-2.0
"""A settled sheet in parts, and who would see which: each part decided by consent like any other, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import directory, mirror, preview, referrals
from connectors.casebook.referrals import KnownReferral
from connectors.casebook.sheets import REPLACED, Sheet
from connectors.desk.sheets.rules import doable
from connectors.desk.web.visits import Visit
from connectors.sheets.definitions import Definition, Field
from connectors.sheets.parts import Item, Origin, part_of, split
from consent.decisions import ConsentBasis, Permitted, Refused
from consent.vocabulary.codes import Language

_OVER: Final = frozenset({"draft", "closed", "cancelled", "rerouted", "withdrawn", "entered_in_error", "declined"})
"""States of a referral in which nothing more is sent into its thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one category of a sheet tells, and whether it may go: `refused` says why not."""

    category: str
    items: tuple[Item, ...] = field(repr=False)
    body: bytes = field(repr=False)
    refused: Refused | None = None

    def lines(self, language: Language) -> list[tuple[str, str]]:
        """Give question and answer as the recipient reads them."""
        return [(item.field.words.said(language), item.said(language)) for item in self.items]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A referral whose other side could be given a sheet: what they would see of it, and what not."""

    referral: KnownReferral
    partner: str
    portions: Sequence[Portion]

    @property
    def seen(self) -> list[Portion]:
        """What may go."""
        return [one for one in self.portions if one.refused is None]

    @property
    def unseen(self) -> list[Portion]:
        """What may not, each with its reason."""
        return [one for one in self.portions if one.refused is not None]


def require_shareable(definition: Definition, sheet: Sheet) -> None:
    """Let through what holds.

    *Raises* `ConnectorError`: `sheet-kept-here`, `sheet-replaced` (a newer one has taken its place, a re-plan above
    all), `sheet-not-settled`.
    """
    if definition.kept_here:
        raise ConnectorError("sheet-kept-here")
    if sheet.state == REPLACED:
        raise ConnectorError("sheet-replaced")
    if not doable(definition, sheet).share:
        raise ConnectorError("sheet-not-settled")


def bodies_of(definition: Definition, sheet: Sheet) -> dict[str, tuple[tuple[Item, ...], bytes]]:
    """Give a sheet's parts by category: the answers, and the part as it is sealed."""
    origin = Origin(id=sheet.id, n=sheet.n)
    found = split(definition, sheet.answers)
    return {category: (items, part_of(definition, items, origin)) for category, items in found.items()}


def offers(connection: Connection, visit: Visit, definition: Definition, sheet: Sheet) -> list[Offer]:
    """Give every open referral of the case with what its other side would see of a sheet."""
    parts = bodies_of(definition, sheet)
    return [_offer(connection, visit, one, parts) for one in open_referrals(connection, visit, sheet.case)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What of one category can be asked of a partner: `refused` says why it may not be asked, or not be answered."""

    category: str
    fields: tuple[Field, ...]
    refused: Refused | None = None


def open_referrals(connection: Connection, visit: Visit, case: str) -> list[KnownReferral]:
    """Give the referrals of a case into whose threads something may be sent."""
    agency = visit.site.connector.agency
    found = []
    for one in referrals.of_case(connection, case):
        known = mirror.detail_of(connection, one.id)
        if one.state not in _OVER and known is not None and agency in {one.sender, one.recipient}:
            found.append(one)
    return found


def questions(
    connection: Connection, visit: Visit, definition: Definition, one: KnownReferral
) -> tuple[list[Question], str]:
    """Give what can be asked of the other side of a referral, by category, and the other side's name.

    Both ways are decided: our question to them, and their answer to us.
    """
    agency = visit.site.connector.agency
    partner = one.sender if agency == one.recipient else one.recipient
    wanted: dict[str, list[Field]] = {}
    for field_ in definition.asked:
        if not field_.ours:
            wanted.setdefault(field_.category, []).append(field_)
    both = [
        dict(
            preview.preview(
                connection,
                case=one.case,
                sender=sender,
                recipient=recipient,
                purpose=one.purpose,
                categories=list(wanted),
                basis=ConsentBasis(),
                now=visit.at,
            )
        )
        for sender, recipient in ((agency, partner), (partner, agency))
    ]
    made = []
    for category, fields in wanted.items():
        barred = next((way[category] for way in both if isinstance(way[category], Refused)), None)
        refused = barred if isinstance(barred, Refused) else None
        made.append(Question(category=category, fields=tuple(fields), refused=refused))
    known = directory.agency(connection, partner)
    return made, known.name_ja if visit.language == "ja" else known.name_en


def offer(connection: Connection, visit: Visit, definition: Definition, sheet: Sheet, referral: str) -> Offer:
    """Give one of them.

    *Raises* `ConnectorError("referral-unknown")`: it is none of the case's, or nothing more is sent into it.
    """
    found = next((one for one in offers(connection, visit, definition, sheet) if one.referral.id == referral), None)
    if found is None:
        raise ConnectorError("referral-unknown")
    return found


def _offer(
    connection: Connection, visit: Visit, one: KnownReferral, parts: Mapping[str, tuple[tuple[Item, ...], bytes]]
) -> Offer:
    agency = visit.site.connector.agency
    partner = one.sender if agency == one.recipient else one.recipient
    decided = preview.preview(
        connection,
        case=one.case,
        sender=agency,
        recipient=partner,
        purpose=one.purpose,
        categories=list(parts),
        basis=ConsentBasis(),
        now=visit.at,
    )
    known = directory.agency(connection, partner)
    return Offer(
        referral=one,
        partner=known.name_ja if visit.language == "ja" else known.name_en,
        portions=[
            Portion(
                category=category,
                items=parts[category][0],
                body=parts[category][1],
                refused=None if isinstance(answer, Permitted) else answer,
            )
            for category, answer in decided
        ],
    )
