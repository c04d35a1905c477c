# SPDX-License-Identifier: Apache-2.0
"""What the pages of corrections show: who can be told and who cannot, why, and what to do for those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.base.labels import codes, label
from connectors.casebook import corrections, directory, earlier
from connectors.casebook.corrections import Made
from connectors.casebook.earlier import Addressee
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.staff import reads as staff
from connectors.desk.web.texts import is_text, text
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import REMEDIES

_REASONS: Final = "decision_reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a correction is written against: a message of ours, the category, everybody who received it."""

    case: str
    message: str
    category: str | None
    categories: tuple[str, ...]
    bar: PersonBar
    addressees: tuple[Addressee, ...]

    @property
    def reachable(self) -> tuple[Addressee, ...]:
        """Give who may be told now."""
        return tuple(one for one in self.addressees if one.is_reachable)

    @property
    def unreachable(self) -> tuple[Addressee, ...]:
        """Give who may not, or cannot."""
        return tuple(one for one in self.addressees if not one.is_reachable)


def draft_of(connection: Connection, visit: Visit, message: str, category: str | None) -> Draft:
    """Give what a correction of a message is written against; a category that it did not tell is none.

    *Raises* `ConnectorError("message-unknown")`; as `cases.reads.person_bar`.
    """
    case, categories = earlier.categories_of(connection, message, visit.site.connector.agency)
    chosen = category if category in categories else categories[0] if len(categories) == 1 else None
    return Draft(
        case=case,
        message=message,
        category=chosen,
        categories=categories,
        bar=person_bar(connection, visit, case),
        addressees=() if chosen is None else earlier.reach(connection, visit.pen(), case=case, category=chosen),
    )


def made_of(connection: Connection, visit: Visit, correction: str) -> Made:
    """Give a correction that was made known here.

    *Raises* `ConnectorError("correction-unknown")`.
    """
    found = corrections.made(connection, correction, visit.site.connector.agency)
    if found is None:
        raise ConnectorError("correction-unknown")
    return found


def of_case(connection: Connection, visit: Visit, case: str) -> Sequence[Made]:
    """Give the corrections of a case that were made known here, the newest first."""
    return corrections.of_case(connection, case, visit.site.connector.agency)


def names_of(connection: Connection, visit: Visit) -> dict[str, str]:
    """Give what people call the agencies."""
    return {one.id: one.name_ja if visit.language == "ja" else one.name_en for one in directory.agencies(connection)}


def staff_of(connection: Connection, found: Made) -> dict[str, str]:
    """Give the names of whoever wrote a correction or told somebody of it."""
    named = {found.made_by} | {one.told_by for one in found.told if one.told_by}
    return dict(staff.names_of(connection, named))


def reasons(visit: Visit, whys: Sequence[str | None]) -> dict[str, tuple[str, str]]:
    """Say of each reason why somebody cannot be told, and what to do for them."""
    return {why: (_reason(visit, why), _do(visit, why)) for why in whys if why}


def _reason(visit: Visit, why: str) -> str:
    if why in codes(_REASONS):
        return label(_REASONS, why, visit.language)
    key = f"corrections.why-{why}"
    return text(key if is_text(key) else "corrections.why-other", visit.language)


def _do(visit: Visit, why: str) -> str:
    key = f"corrections.do-{why.replace('_', '-').lower()}"
    if is_text(key):
        return text(key, visit.language)
    remedy = REMEDIES["consent"].get(why)
    return label("remedy", remedy, visit.language) if remedy else text("corrections.do-other", visit.language)
