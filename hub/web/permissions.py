# SPDX-License-Identifier: Apache-2.0
"""Who may call what: the authorization matrix of the security README §2 as one table that can be printed.

Deny by default. Every route names a permission of this table; `undeclared` finds those that do not, and the app
does not start with one. Whether a *thing* is the caller's own is decided where the thing is read (row-level
security, services): here stands only which OAuth scopes and which role open the door. What is open to everybody
says OPEN in words.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from flask import Flask

CONNECTOR: Final = "CON"
OPERATOR: Final = "OP"
OFFICER: Final = "NDPO"
AGENCY_OFFICER: Final = "ADPO"
AUDITOR: Final = "AUD"
OPEN: Final = "open"

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table: nobody but `roles` comes in at all, and connectors only with any one of `scopes`."""

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset({CONNECTOR})
    open: bool = False


def _any(*scopes: str) -> Rule:
    return Rule(scopes=frozenset(scopes))


def _staff(*roles: str) -> Rule:
    """Open a page of the console to people of the hub, who sign in there and carry no token."""
    return Rule(roles=frozenset(roles))


PERMISSIONS: Final[Mapping[str, Rule]] = {
    # health, metadata, the description of the API; the OAuth endpoints authenticate their clients themselves
    OPEN: Rule(open=True, roles=frozenset()),
    "directory.read": _any("directory:read"),
    "keys.write": _any("keys:write"),
    "cases.read": _any("cases:write", "referrals:read", "consents:read"),
    "cases.write": _any("cases:write"),
    "consents.read": _any("consents:read"),
    "consents.write": _any("consents:write"),
    "decisions.ask": _any("referrals:send", "consents:read"),
    "meetings.read": _any("meetings:write", "consents:read"),
    "meetings.write": _any("meetings:write"),
    "referrals.read": _any("referrals:read"),
    "referrals.send": _any("referrals:send"),
    "referrals.receive": _any("referrals:receive"),
    # a move is the sender's or the receiver's; the lifecycle knows whose turn it is
    "referrals.move": _any("referrals:send", "referrals:receive"),
    "messages.read": _any("referrals:receive"),
    "messages.write": _any("referrals:send", "referrals:receive"),
    "tasks.read": _any("referrals:read"),
    "tasks.write": _any("referrals:read"),
    "events.read": _any("referrals:read"),
    "webhooks.read": _any("referrals:read"),
    # it makes a shared secret and tells events to another machine: as much trust as publishing keys
    "webhooks.write": _any("keys:write"),
    "audit.read": _any("audit:read"),
    # every connector anchors its own access log: no more than any of them may do anyway
    "audit.anchor": _any("referrals:read"),
    "oversight.write": _any("oversight:write"),
    # the console: people of the hub, by the rows of the matrix
    "console.self": _staff(OPERATOR, OFFICER, AGENCY_OFFICER, AUDITOR),
    "console.audit": _staff(OFFICER, AGENCY_OFFICER, AUDITOR),
    "console.verify": _staff(OPERATOR, OFFICER, AGENCY_OFFICER, AUDITOR),
    "console.bundle": _staff(OFFICER, AUDITOR),
    "console.health": _staff(OPERATOR, OFFICER),
    "console.reviews": _staff(OFFICER),
    "console.ledger": _staff(OFFICER),
    "console.watch": _staff(OFFICER),
    "console.register": _staff(OFFICER),
    "console.breach": _staff(OFFICER),
    "console.agencies": _staff(OPERATOR, OFFICER),
    "console.retention": _staff(OPERATOR, OFFICER),
    "console.report": _staff(OFFICER),
}

SCOPES: Final = frozenset(scope for rule in PERMISSIONS.values() for scope in rule.scopes)


def declares(permission: str) -> Callable[[View], View]:
    """Say on a plain Flask view which permission opens it (API operations say it in `operation`).

    *Raises* KeyError: the table has no such permission.
    """
    if permission not in PERMISSIONS:
        raise KeyError(permission)

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]  # read by `declared`
        return view

    return mark


def declared(app: Flask) -> Iterator[tuple[str, str, str | None]]:
    """Give every route of the app: (method, path template, permission or None if it declares none)."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        resource = getattr(view, "view_class", None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            handler = view if resource is None else getattr(resource, method.lower(), None)
            yield method, rule.rule, getattr(handler, "permission", getattr(view, "permission", None))


def undeclared(app: Flask) -> list[str]:
    """List the routes that name no permission of the table; a right app has none."""
    return [f"{method} {path}" for method, path, name in declared(app) if name not in PERMISSIONS]
