# SPDX-License-Identifier: Apache-2.0
"""The directory's pages (ux D4)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, request

from connectors.casebook.people import search_key
from connectors.desk.agencies import reads, rules
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render
from connectors.desk.web.visits import Access, Visit
from consent.vocabulary.codes import TYPICAL_RECIPIENTS, is_known

blueprint: Final = Blueprint("agencies", __name__)
_LONGEST: Final = 100


@page(blueprint, "/agencies", who=Access.STAFF)
def agencies(visit: Visit) -> tuple[str, int]:
    """List the agencies that fit a need, a kind, a word; where none does, who could help find a way."""
    purpose, kind = request.args.get("purpose", ""), request.args.get("kind", "")
    words = request.args.get("q", "")[:_LONGEST]
    wanted = rules.Wanted(
        purpose=purpose if is_known("purposes", purpose) else None,
        kind=kind if is_known("recipients", kind) else None,
        words=search_key(words),
    )
    with visit.book() as connection:
        listed = reads.listing(connection, visit, wanted)
    return render("agencies/agencies.html", listed=listed, wanted=wanted, words=words)


@page(blueprint, "/agencies/<agency>", who=Access.STAFF)
def agency(visit: Visit, agency: str) -> tuple[str, int]:
    """Show one agency: what it takes, when it is open, how fast it answers, and its key's words."""
    with visit.book() as connection:
        card = reads.card(connection, visit, agency)
        words = reads.key_words(connection, agency)
    return render("agencies/agency.html", card=card, words=words, usual=lambda code: TYPICAL_RECIPIENTS[code])
