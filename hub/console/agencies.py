# SPDX-License-Identifier: Apache-2.0
"""Agencies and their keys (H7): confirm by the words heard, suspend with its effect in view, let on, end a key.

A fingerprint is shown only once two people have confirmed it: before that it is typed in by whoever heard it on the
telephone or read it on paper, so that nobody confirms what the page itself said (protocol §3).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import request, url_for
from werkzeug.wrappers import Response as Answer

from consent import keys
from consent.jwk import KeyUse, PublicKey
from hub.agencies import reads, service
from hub.agencies.rules import AgencyState, Approver, Deed
from hub.base.db import Duty, Session, now
from hub.base.errors import HubError, NotFoundError
from hub.base.ids import is_id
from hub.console import naming
from hub.console.forms import refusal
from hub.console.pages import page, see
from hub.console.rendering import render
from hub.console.visits import Visit
from hub.oversight import keeping

SAID: Final = frozenset({"confirm", "suspend", "resume", "revoke"})
LONGEST: Final = 400
Deeds = Callable[[Session, str, Approver, datetime], object]


def _confirm(session: Session, agency: str, by: Approver, at: datetime) -> object:
    return service.confirm(session, agency, by, request.form.get("words", "")[:LONGEST], now=at)


def _suspend(session: Session, agency: str, by: Approver, at: datetime) -> object:
    return service.suspend(session, agency, by, now=at)


def _resume(session: Session, agency: str, by: Approver, at: datetime) -> object:
    return service.resume(session, agency, by, now=at)


def _revoke(session: Session, agency: str, by: Approver, at: datetime) -> None:
    service.revoke_key(session, agency, request.form.get("kid", "")[:LONGEST], by, now=at)


DEEDS: Final[dict[str, Deeds]] = {"confirm": _confirm, "suspend": _suspend, "resume": _resume, "revoke": _revoke}


@page("/agencies", permission="console.agencies")
def agencies(visit: Visit) -> tuple[str, int]:
    """List every agency in whatever state, with the day its next key ends."""
    with visit.reading("agencies") as session:
        at = now(session)
        known = naming.directory(session)
        ends = {one: min((key.ends_at for key in reads.live_keys(session, one, at)), default=None) for one in known}
    return render("agencies.html", known=known, ends=ends, name=naming.named(known, visit.language))


@page("/agencies/<agency>", permission="console.agencies", methods=("GET", "POST"))
def agency(visit: Visit, agency: str) -> Answer | tuple[str, int]:
    """Show one agency with its keys and what suspending it would stop, and take a deed on it.

    *Raises* NotFoundError: there is no such agency.
    """
    if not is_id(agency):
        raise NotFoundError
    fault = None
    if request.method == "POST":
        wish = request.form.get("deed", "")
        try:
            _do(visit, agency, wish)
        except HubError as error:
            fault = refusal(visit, error)
        else:
            return see(url_for("console.agency", agency=agency, said=wish))
    return _show(visit, agency, fault)


def _show(visit: Visit, agency: str, fault: str | None) -> tuple[str, int]:
    with visit.reading("agency", agency=agency) as session:
        at = now(session)
        one = reads.agency(session, agency)
        if one is None:
            raise NotFoundError
        published = [key for key in reads.keys(session, agency) if not key.removal]
        effect = keeping.effect(session, agency)
    wish = request.args.get("said")
    root = PublicKey.from_jwk(one.root, KeyUse.ROOT)
    words = () if one.state is AgencyState.PENDING else keys.fingerprint_words(root, _language(visit))
    facts = {"one": one, "keys": published, "at": at, "effect": effect, "words": words, "waiting": _waiting(visit, one)}
    said = wish if wish in SAID else None
    return render("agency.html", status=422 if fault else 200, fault=fault, said_deed=said, **facts)


def _do(visit: Visit, agency: str, wish: str) -> None:
    deed = DEEDS.get(wish)
    if deed is None:
        raise NotFoundError
    by = Approver(staff=visit.me.id, role=visit.me.role.value)
    with visit.doing(Duty.DIRECTORY) as session:
        deed(session, agency, by, now(session))


def _waiting(visit: Visit, one: reads.Agency) -> dict[str, list[str]]:
    """Give for each deed the roles that have already spoken and wait for the other one."""
    root = PublicKey.from_jwk(one.root, KeyUse.ROOT).kid
    with visit.doing(Duty.DIRECTORY) as session:
        at = now(session)
        asked = {
            "confirm": reads.approvals(session, one.id, Deed.ACTIVATE, root),
            "resume": reads.approvals(session, one.id, Deed.RESUME, ""),
            **{
                key.kid: reads.approvals(session, one.id, Deed.REVOKE_KEY, key.kid)
                for key in reads.keys(session, one.id)
                if not key.removal
            },
        }
    return {deed: [word.role for word in words if word.is_fresh(at)] for deed, words in asked.items()}


def _language(visit: Visit) -> keys.Language:
    return "ja" if visit.language == "ja" else "en"
