# SPDX-License-Identifier: Apache-2.0
"""One visit to a page of the console: who looks, in which language, and the only two ways to the database.

`reading` commits an entry that says what was asked before anything is read, so no page can show what nobody knows was
looked at. `doing` is for deeds: the service that does one logs it itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.base.db import Duty, Session, now
from hub.staff.reads import Member
from hub.staff.rules import Role
from hub.web import permissions
from hub.web.work import Hub

ROLES: Final[Mapping[Role, str]] = {
    Role.OPERATOR: permissions.OPERATOR,
    Role.OFFICER: permissions.OFFICER,
    Role.AGENCY_OFFICER: permissions.AGENCY_OFFICER,
    Role.AUDITOR: permissions.AUDITOR,
}
"""What the matrix calls the roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who asks for a page. `who` is None where nobody has signed in; `token` is the session's, never shown.

    `read` collects the ids of the entries that this visit left in the log, which the page names.
    """

    hub: Hub
    language: str
    at: datetime | None
    who: Member | None = None
    token: str = ""
    read: list[str] = field(default_factory=list)

    @property
    def me(self) -> Member:
        """Give who has signed in.

        *Raises* RuntimeError: nobody has, and the page did not say that it is open: a mistake of the program.
        """
        if self.who is None:
            raise RuntimeError("nobody-signed-in")
        return self.who

    def may(self, permission: str) -> bool:
        """Say whether whoever signed in may come in by this permission."""
        return self.who is not None and ROLES[self.who.role] in permissions.PERMISSIONS[permission].roles

    @contextmanager
    def reading(
        self,
        page: str,
        *,
        case: str | None = None,
        kind: AuditKind = AuditKind.DPO_READ,
        network: bool = False,
        **asked: Json,
    ) -> Iterator[Session]:
        """Log what is asked (codes and ids only), commit that, then open the transaction that reads.

        An agency's officer sees the rows of the agency, by the same row-level security as its connector; the others see
        what the role tsn_dpo is granted. `network`: the page shows nothing but what everybody may know, e.g. how the
        log stands, and is read as tsn_dpo for all.
        """
        me = self.me
        facts: dict[str, Json] = {"page": page, "role": me.role.value, **asked}
        parties = (me.agency,) if me.agency else ()
        entry = Entry(kind=kind, actor=me.id, parties=parties, case=case, facts=facts)
        with self.hub.database.transaction(None) as session:
            self.read.append(audit.append(session, entry, now=now(session)))
        agency = None if network else me.agency
        looking = self.hub.database if agency else self.hub.oversight
        with looking.transaction(agency) as session:
            yield session

    def doing(self, duty: Duty | None = None) -> AbstractContextManager[Session]:
        """Open a transaction for a deed: as the console's role, or as requests do it under a duty."""
        if duty is None:
            return self.hub.oversight.transaction(None)
        return self.hub.database.transaction(None, duty)
