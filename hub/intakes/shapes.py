# SPDX-License-Identifier: Apache-2.0
"""What the API takes and gives about consents: signed texts, and what the hub knows of them."""

from typing import Annotated

from pydantic import Field

from consent import wire
from consent.scopes import Party, Withdrawal, matches
from hub.base.errors import InvalidError
from hub.cases.shapes import Coded
from hub.intakes import reads
from hub.intakes.rules import Taking, is_wholly_withdrawn
from hub.web.paging import Page, PageQuery
from hub.web.shapes import Shape

LONGEST_RECORD = 32 * 1024
MOST_NAMES = 64

Record = Annotated[str, Field(min_length=1, max_length=LONGEST_RECORD)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class Signed(Shape):
    """A signed statement, byte for byte."""

    record: Record


class Withdraw(Shape):
    """A withdrawal: signed, or for now only said; without `to` and `categories` it takes back all."""

    record: Record | None = None
    to: Annotated[tuple[Name, ...], Field(max_length=MOST_NAMES)] = ()
    categories: Annotated[tuple[Annotated[str, Coded("categories")], ...], Field(max_length=MOST_NAMES)] = ()

    def taking(self) -> Taking:
        """Give what is taken back.

        Raises:
            InvalidError: `record-mismatch`, a signed word says itself what it takes back.
        """
        if self.record is not None and (self.to or self.categories):
            raise InvalidError("record-mismatch", pointer="/record")
        return Taking(to=frozenset(self.to), categories=frozenset(self.categories))


class ConsentQuery(PageQuery):
    """The consents of one case."""

    case: wire.Id


class WithdrawalShape(Shape):
    """What was taken back, as far as it is about this caller; empty lists mean all."""

    at: wire.Moment
    to: tuple[str, ...]
    categories: tuple[str, ...]


class StatusShape(Shape):
    """The newest signed word that the consent is live (protocol §4)."""

    record: str
    hash: str
    as_of: wire.Moment
    next_by: wire.Moment

    @classmethod
    def of(cls, status: reads.Status) -> "StatusShape":
        """Show a status."""
        return cls(record=status.record, hash=status.record_hash, as_of=status.as_of, next_by=status.next_by)


class ConsentShape(Shape):
    """One registered consent; `record` is what the intake agency signed, to be verified by whoever fetches it."""

    id: str
    case: str
    agency: str
    partner: str
    record: str
    hash: str
    registered_at: wire.Moment
    valid_until: wire.Moment
    withdrawn: bool
    withdrawals: tuple[WithdrawalShape, ...]
    superseded_at: wire.Moment | None
    status: StatusShape | None
    actions: tuple[str, ...]

    @classmethod
    def of(cls, known: reads.Statement, party: Party) -> "ConsentShape":
        """Show a consent to an agency: a partner does not learn who else a withdrawal names."""
        is_partner = party.agency not in known.hub_parties
        taken = [one for one in known.withdrawals if not is_partner or _is_about(one, party)]
        withdrawn = is_wholly_withdrawn(taken)
        return cls(
            id=known.consent,
            case=known.scope.case,
            agency=known.signer,
            partner=known.partner,
            record=known.record,
            hash=known.record_hash,
            registered_at=known.registered_at,
            valid_until=known.valid_until,
            withdrawn=withdrawn,
            withdrawals=tuple(_shown(one, party, is_partner=is_partner) for one in taken),
            superseded_at=known.superseded_at,
            status=None if known.status is None else StatusShape.of(known.status),
            actions=_actions(known, party, withdrawn=withdrawn),
        )


class ConsentPage(Page[ConsentShape]):
    """One page of consents."""


class ExclusionShape(Shape):
    """One refusal of the person. A partner gets the signed text only where it names nobody but that partner."""

    id: str
    agency: str
    to: tuple[str, ...]
    categories: tuple[str, ...]
    from_time: wire.Moment
    record: str | None
    hash: str
    registered_at: wire.Moment
    revoked_at: wire.Moment | None
    actions: tuple[str, ...]

    @classmethod
    def of(cls, known: reads.Refusal, party: Party) -> "ExclusionShape":
        """Show a refusal to an agency."""
        is_own = known.signer == party.agency
        to = known.to if is_own else tuple(name for name in known.to if name in {party.agency, party.kind, "*"})
        return cls(
            id=known.exclusion,
            agency=known.signer,
            to=to,
            categories=known.categories,
            from_time=known.from_time,
            record=known.record if to == known.to else None,
            hash=known.record_hash,
            registered_at=known.registered_at,
            revoked_at=known.revoked_at,
            actions=("revoke",) if is_own and known.revoked_at is None else (),
        )


class ExclusionList(Shape):
    """The refusals of one case; there are few, so they come at once."""

    items: tuple[ExclusionShape, ...]


def _is_about(withdrawal: Withdrawal, party: Party) -> bool:
    return not withdrawal.to or matches(withdrawal.to, party)


def _shown(withdrawal: Withdrawal, party: Party, *, is_partner: bool) -> WithdrawalShape:
    to = withdrawal.to & {party.agency, party.kind} if is_partner else withdrawal.to
    return WithdrawalShape(at=withdrawal.at, to=tuple(sorted(to)), categories=tuple(sorted(withdrawal.categories)))


def _actions(known: reads.Statement, party: Party, *, withdrawn: bool) -> tuple[str, ...]:
    if known.signer != party.agency or withdrawn:
        return ()
    return ("withdraw", "status")
