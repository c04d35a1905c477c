# SPDX-License-Identifier: Apache-2.0
"""`tsunagi form`: write down the form that a person signed, and see beforehand what each partner may then get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from connectors.casebook import forms as casebook
from connectors.casebook import listing, statements
from connectors.casebook.forms import Evidence
from connectors.cli import saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import LATER, Noun, argument, flag, option, verb
from connectors.cli.kinds import At, Code, Day, Id, content, read_file
from connectors.cli.saying import Said
from connectors.cli.texts import code_of
from connectors.sync.connector import Connector
from consent.calendar import day_of, end_of_day, start_of_day
from consent.forms import Form, Row, generic_template, split
from consent.scopes import ANY, ORAL, Direction, Scope, check_scope
from consent.vocabulary.codes import RECIPIENTS, SENSITIVE

form: Final = Noun("form")
_WITHOUT_PAPER: Final = frozenset({ORAL, "none"})


@dataclass(frozen=True, slots=True)
class Named:
    """A partner as the form names it: an agency or every agency of a kind."""

    partner: str
    kind: str
    said: str


@verb(
    form,
    "record",
    argument("case", Id()),
    option("--partner", many=True, required=True),
    option("--purpose", Code("purposes"), many=True, required=True),
    option("--category", Code("categories", ANY), many=True),
    option("--tick", many=True),
    option("--strike", many=True),
    option("--kind", Code("consent_kind"), default="intake_form"),
    option("--direction", Code("direction"), default="both"),
    option("--from", Day()),
    option("--until", Day()),
    option("--plan-end", Day()),
    option("--signature", Code("signature"), default="self"),
    option("--signed-at", At()),
    option("--written-by", default="person"),
    option("--proxy-reason", Code("proxy_reason")),
    flag("--read-aloud"),
    option("--witness"),
    option("--scan"),
    option("--form-version", default="1"),
    flag("--replace"),
    flag("--dry-run"),
    LATER,
)
def record(desk: Desk, *, case: str, scan: str | None, replace: bool, dry_run: bool, **said: Any) -> Said:
    """Record a signed form: one signed record for each partner, so that none learns of the others."""
    if scan is None and said["signature"] not in _WITHOUT_PAPER and not dry_run:
        raise CliError("scan-needed")
    evidence = casebook.evidence_of(read_file(Path(scan)) if scan else b"")
    with desk.open() as connector:
        written = _form(desk, connector, case, evidence, replace=replace, said=said)
        scopes = split(written, generic_template(), connector.new_id)
        for scope in scopes:
            check_scope(scope, connector.now())
        lines = [line for scope in scopes for line in _what_goes_where(desk, connector, scope)]
        document = {"form": written.id, "case": case, "records": [_document(scope) for scope in scopes]}
        if dry_run:
            return Said(document={**document, "recorded": False}, lines=[desk.text("form-preview"), *lines])
        with connector.casebook.transaction() as connection:
            ids = casebook.record_form(connection, written, scopes, evidence, connector.pen(desk.staff))
        sent = desk.deliver(connector, case, *ids)
    return Said(
        document={**document, "recorded": True, "sent": sent}, lines=[desk.text("form-recorded", id=written.id), *lines]
    )


def _form(
    desk: Desk, connector: Connector, case: str, evidence: Evidence, *, replace: bool, said: dict[str, Any]
) -> Form:
    now = connector.now()
    signed_at: datetime = said["signed_at"] or now
    begins: date = said["from"] or day_of(signed_at)
    until: date | None = said["until"]
    partners = [_named(desk, connector, partner) for partner in said["partner"]]
    with connector.casebook.transaction() as connection:
        listing.case_of(connection, case)
        known = statements.consents_of(connection, case) if replace else []
    return Form(
        id=connector.new_id(),
        case=case,
        kind=said["kind"],
        version=said["form_version"],
        hub_parties=frozenset({connector.agency}),
        purposes=frozenset(said["purpose"]),
        categories=frozenset(said["category"] or (ANY,)),
        rows=_rows(partners, said),
        valid_from=start_of_day(begins),
        valid_until=None if until is None else end_of_day(until),
        plan_end=said["plan_end"],
        signature=said["signature"],
        signed_at=signed_at,
        written_by=said["written_by"],
        proxy_reason=said["proxy_reason"],
        read_aloud=said["read_aloud"],
        witness=said["witness"],
        evidence=evidence.digest,
        replaces=tuple(one.record.scope() for one in known if one.record.agency == connector.agency),
    )


def _rows(partners: list[Named], said: dict[str, Any]) -> tuple[Row, ...]:
    ticks, struck = _marks(partners, said["tick"]), _marks(partners, said["strike"])
    return tuple(
        Row(
            partner=one.partner,
            kind=one.kind,
            purposes=frozenset(said["purpose"]) if len(partners) == 1 else None,
            ticked=ticks[one.partner],
            struck=struck[one.partner],
            direction=Direction(said["direction"]),
        )
        for one in partners
    )


def _marks(partners: list[Named], given: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Read ticks or strikes, `CATEGORY` for every partner or `PARTNER:CATEGORY` for one, named as with `--partner`."""
    found: dict[str, set[str]] = {one.partner: set() for one in partners}
    for mark in given:
        whom, colon, category = mark.rpartition(":")
        code = code_of("categories", category)
        named = [one for one in partners if not colon or whom in {one.said, one.partner}]
        if code is None or not named:
            raise CliError("mark-unknown")
        for one in named:
            found[one.partner].add(code)
    return {partner: frozenset(codes) for partner, codes in found.items()}


def _named(desk: Desk, connector: Connector, said: str) -> Named:
    kind = code_of("recipients", said)
    if kind in RECIPIENTS:
        return Named(partner=kind, kind=kind, said=said)
    agency = desk.agency(connector, said)
    return Named(partner=agency.id, kind=agency.kind, said=said)


def partner_name(desk: Desk, connector: Connector, partner: str) -> str:
    """Give the name of what a scope calls a partner: an agency, or every agency of a kind."""
    return desk.label("recipients", partner) if partner in RECIPIENTS else desk.name_of(connector, partner)


def _document(scope: Scope) -> dict[str, Any]:
    return {
        "id": scope.id,
        "partner": next(iter(scope.partners)),
        "purposes": scope.purposes,
        "categories": scope.categories,
        "valid_from": scope.valid_from,
        "valid_until": scope.valid_until,
    }


def _what_goes_where(desk: Desk, connector: Connector, scope: Scope) -> list[str]:
    """Say what a partner may get for which purposes, and name what is sensitive apart."""
    sensitive, usual = scope.categories & SENSITIVE, scope.categories - SENSITIVE
    partners = ", ".join(partner_name(desk, connector, partner) for partner in scope.partners)
    lines = [
        desk.text("may-get", partner=partners, id=scope.id),
        desk.text("may-get-purposes", purposes=desk.labels("purposes", scope.purposes)),
    ]
    if usual:
        lines.append(desk.text("may-get-categories", categories=desk.labels("categories", usual)))
    if sensitive:
        lines.append(desk.text("may-get-sensitive", categories=desk.labels("categories", sensitive)))
    since, until = saying.moment(scope.valid_from), last_day(scope.valid_until)
    return [*lines, desk.text("may-get-until", since=since, until=until)]


def last_day(until: datetime) -> str:
    """Give the last day that a period has, as people say it."""
    return day_of(until - datetime.resolution).isoformat()


def words_of(said: str) -> bytes:
    """Give the person's words as they were typed or stand in a file."""
    return content(said).body
