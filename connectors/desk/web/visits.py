# SPDX-License-Identifier: Apache-2.0
"""`Visit`: who looks at a page, in which language, and what they may do. One per request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from sqlalchemy import Connection

from connectors.casebook.statements import Pen
from connectors.desk.web.site import Site
from consent.calendar import day_of
from consent.vocabulary.codes import Language


class Role(Enum):
    """What a member of staff may do (security §2): CW, SUP, AADM."""

    CASEWORKER = "caseworker"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Access(Enum):
    """Who may open a page. Every route names one; a test counts them."""

    EVERYBODY = "everybody"
    """Nobody needs to sign in: sign-in itself, the stylesheet, the accessibility statement."""
    STAFF = "staff"
    """Whoever has signed in."""
    CASEWORK = "casework"
    """Caseworkers and supervisors: an administrator alone sees no person."""
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    OVERSIGHT = "oversight"
    """Supervisors and administrators: whether the access log is what it was, without anybody's name in it."""


ALLOWED = {
    Access.STAFF: frozenset(Role),
    Access.CASEWORK: frozenset({Role.CASEWORKER, Role.SUPERVISOR}),
    Access.SUPERVISOR: frozenset({Role.SUPERVISOR}),
    Access.ADMINISTRATOR: frozenset({Role.ADMINISTRATOR}),
    Access.OVERSIGHT: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
}
"""Which roles open which pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of staff as pages know them; `id` is opaque and goes into logs, the name never does."""

    id: str
    name: str
    roles: frozenset[Role]
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of one person at one desk. `who` is None on pages that need no sign-in."""

    site: Site
    who: Member | None
    language: Language
    at: datetime
    session: str | None = None

    @property
    def me(self) -> Member:
        """Give who has signed in.

        *Raises* RuntimeError on a page for everybody, which is a mistake of the program.
        """
        if self.who is None:
            raise RuntimeError("nobody has signed in")
        return self.who

    @property
    def today(self) -> date:
        """Give the day in Japan."""
        return day_of(self.at)

    def may(self, access: Access) -> bool:
        """Say whether this person may open pages of this kind."""
        if access is Access.EVERYBODY:
            return True
        return self.who is not None and bool(self.who.roles & ALLOWED[access])

    def pen(self) -> Pen:
        """Give what signing needs, in this person's name.

        *Raises* `ConnectorError("key-missing")`.
        """
        return self.site.connector.pen(self.me.id)

    @contextmanager
    def book(self) -> Iterator[Connection]:
        """Open the casebook for one transaction."""
        with self.site.connector.casebook.transaction() as connection:
            yield connection
