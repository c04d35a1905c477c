# SPDX-License-Identifier: Apache-2.0
"""Who works here: invite, change roles and team, end sessions, invite again, let go, take back."""

from __future__ import annotations

from typing import Any, Final

from flask import request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from connectors.base.errors import ConnectorError
from connectors.casebook import handing
from connectors.casebook.handing import Charge
from connectors.desk.office.blueprint import blueprint
from connectors.desk.staff import reads, roster, service
from connectors.desk.staff.reads import Account
from connectors.desk.web.filling import Filled
from connectors.desk.web.gate import page
from connectors.desk.web.rendering import render, render_again, see
from connectors.desk.web.visits import Access, Member, Role, Visit

LONGEST_TEAM: Final = 60
LONGEST_LOGIN: Final = 60
FEWEST_SUPERVISORS: Final = 2
"""An emergency disclosure needs a second person who approves it."""
_CASEWORK: Final = frozenset({Role.CASEWORKER, Role.SUPERVISOR})


@page(blueprint, "/office/staff", who=Access.ADMINISTRATOR)
def people(visit: Visit) -> tuple[str, int]:
    """List who works here, and say where an emergency would find no second person."""
    with visit.book() as connection:
        accounts = reads.accounts(connection)
    n = sum(one.is_active and Role.SUPERVISOR in one.member.roles for one in accounts)
    return render("office/people.html", accounts=accounts, is_alone=n < FEWEST_SUPERVISORS, n=n)


@page(blueprint, "/office/staff/new", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def invite(visit: Visit) -> tuple[str, int]:
    """Take somebody into the staff and show the set-up code, this once."""
    filled = Filled.of_request()
    facts: dict[str, Any] = {"account": None, "roles": list(Role)}
    if request.method == "GET":
        return render("office/person.html", **facts)
    name, login = filled.line("name", required=True), filled.line("login", required=True, longest=LONGEST_LOGIN)
    team, roles = filled.line("team", longest=LONGEST_TEAM), _roles(filled)
    if not filled.is_fine:
        return render_again("office/person.html", filled, **facts)
    try:
        with visit.book() as connection:
            member, code = service.enrol(
                connection, login=login, name=name, team=team, roles=roles, by=visit.me.id, now=visit.at
            )
            account = reads.account(connection, member)
    except ConnectorError:
        filled.blame("login", "office.fault-login-taken")
        return render_again("office/person.html", filled, **facts)
    return render("office/invited.html", account=account, code=code)


@page(blueprint, "/office/staff/<member>", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def person(visit: Visit, member: str) -> Response | tuple[str, int]:
    """Show one of the staff; change name, team and roles."""
    filled = Filled.of_request()
    with visit.book() as connection:
        account = reads.account(connection, member)
        seats = roster.seats_of(connection, member, limits=visit.site.limits, now=visit.at)
    account = _known(account)
    facts: dict[str, Any] = {"account": account, "roles": list(Role), "seats": seats}
    if request.method == "GET" or not account.is_active:
        return render("office/person.html", **facts)
    name, team = filled.line("name", required=True), filled.line("team", longest=LONGEST_TEAM)
    roles = _roles(filled)
    if filled.is_fine:
        try:
            with visit.book() as connection:
                roster.change(connection, member, name=name, team=team, roles=roles, by=visit.me.id, now=visit.at)
        except ConnectorError:
            filled.blame("roles", "office.fault-last-administrator")
    if not filled.is_fine:
        return render_again("office/person.html", filled, **facts)
    return see(url_for("office.people"), said="office.person-changed", name=name)


@page(blueprint, "/office/staff/<member>/sessions/end", who=Access.ADMINISTRATOR, methods=("POST",))
def end_their_sessions(visit: Visit, member: str) -> Response:
    """End every session of one of the staff, on whatever device."""
    keep = visit.session if member == visit.me.id else None
    with visit.book() as connection:
        account = _known(reads.account(connection, member))
        ended = roster.end_sessions(connection, member, by=visit.me.id, now=visit.at, keep=keep)
    where = url_for("office.person", member=member)
    return see(where, said="office.their-sessions-ended", name=account.member.name, n=str(ended))


@page(blueprint, "/office/staff/<member>/invite", who=Access.ADMINISTRATOR, methods=("POST",))
def invite_again(visit: Visit, member: str) -> Response | tuple[str, int]:
    """Give a new set-up code to somebody who lost theirs, or their device; what they had before ends.

    Nobody does it to themselves: they would be out with a code in hand that is shown once.
    """
    if member == visit.me.id:
        return see(url_for("office.me"), said="office.invite-not-self", tone="wait")
    with visit.book() as connection:
        account = _known(reads.account(connection, member))
        if not account.is_active:
            raise NotFound
        code = service.invite_anew(connection, member, by=visit.me.id, now=visit.at)
        account = _known(reads.account(connection, member))
    return render("office/invited.html", account=account, code=code)


@page(blueprint, "/office/staff/<member>/return", who=Access.ADMINISTRATOR, methods=("POST",))
def take_back(visit: Visit, member: str) -> tuple[str, int]:
    """Take somebody back who left, with a new set-up code."""
    with visit.book() as connection:
        if _known(reads.account(connection, member)).is_active:
            raise NotFound
        code = roster.reactivate(connection, member, by=visit.me.id, now=visit.at)
        account = _known(reads.account(connection, member))
    return render("office/invited.html", account=account, code=code)


@page(blueprint, "/office/staff/<member>/leave", who=Access.ADMINISTRATOR, methods=("GET", "POST"))
def leave(visit: Visit, member: str) -> Response | tuple[str, int]:
    """Let somebody go: sessions end at once, their open cases and referrals go to whoever is named."""
    filled = Filled.of_request()
    with visit.book() as connection:
        account = _known(reads.account(connection, member))
        charge = handing.charge_of(connection, member)
        others = [one for one in reads.colleagues(connection) if one.id != member and one.roles & _CASEWORK]
    if not account.is_active:
        raise NotFound
    facts: dict[str, Any] = {"account": account, "charge": charge, "others": [(one.id, one.name) for one in others]}
    if request.method == "GET":
        return render("office/leave.html", **facts)
    heir = filled.code("heir", [one.id for one in others], required=bool(others) and not charge.is_empty)
    if filled.is_fine:
        try:
            _let_go(visit, member, charge, next((one for one in others if one.id == heir), None))
        except ConnectorError:
            filled.blame("leave", "office.fault-last-administrator")
    if not filled.is_fine:
        return render_again("office/leave.html", filled, **facts)
    n = len(charge.cases) + len(charge.referrals)
    return see(url_for("office.people"), said="office.person-left", name=account.member.name, n=str(n))


def _let_go(visit: Visit, member: str, charge: Charge, heir: Member | None) -> None:
    with visit.book() as connection:
        roster.deactivate(connection, member, by=visit.me.id, now=visit.at)
        if not charge.is_empty:
            to, team = (heir.id, heir.team) if heir else (None, "")
            handing.hand_over(connection, visit.pen(), charge, worker=member, to=to, team=team)


def _roles(filled: Filled) -> frozenset[Role]:
    return frozenset(map(Role, filled.several("roles", [role.value for role in Role], required=True)))


def _known(account: Account | None) -> Account:
    """Give an account.

    *Raises* NotFound.
    """
    if account is None:
        raise NotFound
    return account
