# SPDX-License-Identifier: Apache-2.0
"""The register of consents (H4): records by where they stand and by template, and what a newer one changed."""

from __future__ import annotations

from datetime import datetime

from flask import request

from consent.vocabulary.codes import CODE_LISTS
from hub.base.db import now
from hub.base.errors import NotFoundError
from hub.base.ids import is_id
from hub.console import naming, wording
from hub.console.naming import Name
from hub.console.pages import page
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import register
from hub.oversight.register import RecordState

LISTS = {
    "purposes": "purposes",
    "categories": "categories",
    "direction": "direction",
    "signature": "signature",
    "proxy_reason": "proxy_reason",
}
"""Members of a record whose values are codes of the vocabulary."""
TIMES = frozenset({"valid_from", "valid_until", "signed_at"})
LONGEST = 64


@page("/consents", permission="console.register")
def consents(visit: Visit) -> tuple[str, int]:
    """List records, the newest first."""
    wish = request.args.get("state", "")
    state = RecordState(wish) if wish in set(RecordState) else None
    template = request.args.get("template", "").strip()[:LONGEST] or None
    before = request.args.get("before", "")
    with visit.reading("consents", state=state.value if state else None, by_template=template is not None) as session:
        found = register.page(
            session, now=now(session), state=state, template=template, before=before if is_id(before) else None
        )
        known = naming.directory(session)
    name = partners(naming.named(known, visit.language), visit)
    return render("consents.html", found=found, states=RecordState, state=state, version=template, name=name)


@page("/consents/<consent>", permission="console.register")
def consent(visit: Visit, consent: str) -> tuple[str, int]:
    """Show one record and how it differs from those that it took the place of.

    *Raises* NotFoundError: there is no such record.
    """
    if not is_id(consent):
        raise NotFoundError
    with visit.reading("consent", record=consent) as session:
        at = now(session)
        one = register.one(session, consent, now=at)
        if one is None:
            raise NotFoundError
        earlier, known = register.versions(session, one, now=at), naming.directory(session)
    name = partners(naming.named(known, visit.language), visit)

    def said(member: str, value: str) -> str:
        if member in LISTS:
            return wording.label(visit.language, LISTS[member], value)
        if member in TIMES:
            return wording.say_moment(datetime.fromisoformat(value))
        return name(value) if member in {"hub_parties", "partners"} else value

    return render("consent.html", one=one, earlier=earlier, name=name, said=said)


def partners(name: Name, visit: Visit) -> Name:
    """Say whom a record means: an agency by its name, or a kind of agency by its label."""
    return lambda one: (
        wording.label(visit.language, "recipients", one) if one in CODE_LISTS["recipients"] else name(one)
    )
