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
from connectors.sheets.definitions import Definition
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
    agency = visit.site.connector.agency
    parts = bodies_of(definition, sheet)
    made = []
    for one in referrals.of_case(connection, sheet.case):
        detail = mirror.detail_of(connection, one.id)
        if one.state in _OVER or detail is None or detail.content_stopped or agency not in {one.sender, one.recipient}:
            continue
        made.append(_offer(connection, visit, one, parts))
    return made


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
