# SPDX-License-Identifier: Apache-2.0
"""`tsunagi-hub staff …` and `tsunagi-hub agency …`: what the people of the hub do at its machine, signed in.

What takes two people takes two runs: one by an operator, one by a data protection officer. An agency's fingerprint is
typed in and never shown: who confirms has heard it on the telephone or read it on paper (protocol §3).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import click
from sqlalchemy.orm import Session

from consent.errors import TsunagiError
from hub.agencies import reads, service
from hub.agencies.reads import Agency
from hub.agencies.rules import Approver
from hub.base.config import Settings
from hub.base.db import Database, Duty, Role, now
from hub.base.errors import HubError
from hub.base.ids import is_id
from hub.base.sentences import language, sentence
from hub.embedded import site
from hub.staff import invitations
from hub.staff import reads as staff_reads
from hub.staff import service as staff_service
from hub.staff.rules import Role as StaffRole
from hub.web.problems import catalogue

Deed = Callable[[Session, Approver, datetime], Agency | None]
Command = Callable[..., Any]


@click.group()
def staff() -> None:
    """People who sign in: operators, data protection officers, auditors."""


@click.group()
def agency() -> None:
    """The agencies of this hub."""


def _at(command: Command) -> Command:
    """Add the option that names the hub's folder."""
    path = click.Path(path_type=Path)
    return click.option("--data", type=path, default=None, help="Folder of a hub started with `up`.")(command)


def _secret(command: Command) -> Command:
    """Add the option that names a file with the passphrase. It is never an argument: others could read that."""
    file = click.File(encoding="utf-8")
    return click.option("--passphrase-file", "secret", type=file, help="Read the passphrase here; do not ask.")(command)


def signed_in(command: Command) -> Command:
    """Add the options by which a person signs in."""
    person = click.option("--staff", "person", required=True, help="Your id, as `staff enrol` gave it.")
    return _at(person(_secret(command)))


def _whose(command: Command) -> Command:
    """Add the option that says whose officer an agency's officer is."""
    return click.option("--agency", "of", default=None, help="Id of the agency, for an agency_officer.")(command)


@staff.command("enrol")
@click.argument("role", type=click.Choice([role.value for role in StaffRole]))
@click.option(
    "--passkey", is_flag=True, help="No passphrase: a one-time code for the console, where a passkey is made."
)
@click.option(
    "--passphrase-file", "secret", type=click.File(encoding="utf-8"), help="Read the passphrase here; do not ask."
)
@_whose
@_at
def enrol(role: str, passkey: bool, secret: TextIO | None, of: str | None, data: Path | None) -> None:
    """Let a person sign in, and print their id; with --passkey also the one-time code for the console."""
    passphrase = None if passkey else _passphrase(secret, confirm=True)
    with _transaction(data, Duty.SIGN_IN) as session:
        at, whose = now(session), None if of is None else _id(of)
        person = staff_service.enrol(session, StaffRole(role), passphrase, now=at, agency=whose)
        code = invitations.invite(session, person, now=at) if passkey else None
    click.echo(person)
    if code is not None:
        click.echo(code)


@staff.command("code")
@click.argument("person")
@_at
def code_for(person: str, data: Path | None) -> None:
    """Print a one-time code that lets a person into the console once, within 24 hours."""
    with _transaction(data, Duty.SIGN_IN) as session:
        code = invitations.invite(session, _id(person), now=now(session))
    click.echo(code)


@staff.command("role")
@click.argument("person")
@click.argument("role", type=click.Choice([role.value for role in StaffRole]))
@_whose
@_at
def give_role(person: str, role: str, of: str | None, data: Path | None) -> None:
    """Give a person another role in place of theirs; their sessions end."""
    with _transaction(data, Duty.SIGN_IN) as session:
        whose = None if of is None else _id(of)
        staff_service.give_role(session, _id(person), StaffRole(role), now=now(session), agency=whose)


@staff.command("list")
@_at
def list_staff(data: Path | None) -> None:
    """Print who may sign in: id and role."""
    with _transaction(data, Duty.SIGN_IN) as session:
        for member in staff_reads.members(session):
            click.echo(f"{member.id}  {member.role.value}")


@staff.command("close")
@click.argument("person")
@_at
def close(person: str, data: Path | None) -> None:
    """End a person's access for good."""
    with _transaction(data, Duty.SIGN_IN) as session:
        staff_service.close(session, _id(person), now=now(session))


@agency.command("list")
@_at
def list_agencies(data: Path | None) -> None:
    """Print every agency: id, kind, state, names."""
    with _transaction(data, Duty.DIRECTORY) as session:
        for known in reads.everybody(session):
            click.echo(f"{known.id}  {known.kind}  {known.state.value}  {known.name_ja}  {known.name_en}")


@agency.command("register")
@click.argument("document", type=click.File("rb"))
@click.option("--name-checked", is_flag=True, help="The name looks like another agency's, and that is right.")
@signed_in
def register(document: Any, name_checked: bool, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Take an agency's registration from the file its connector wrote; it then waits for two people."""
    text = document.read()

    def deed(session: Session, by: Approver, at: datetime) -> Agency:
        return service.register(session, text, now=at, by=by.staff, name_was_checked=name_checked)

    _do(data, person, secret, deed)


@agency.command("confirm")
@click.argument("agency_id")
@signed_in
def confirm(agency_id: str, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Confirm the words of the agency's root key; an operator and an officer each do this once."""
    words = click.prompt(sentence("fingerprint-asked"))
    _do(data, person, secret, lambda session, by, at: service.confirm(session, _id(agency_id), by, words, now=at))


@agency.command("suspend")
@click.argument("agency_id")
@signed_in
def suspend(agency_id: str, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Stop an agency at its next request."""
    _do(data, person, secret, lambda session, by, at: service.suspend(session, _id(agency_id), by, now=at))


@agency.command("resume")
@click.argument("agency_id")
@signed_in
def resume(agency_id: str, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Let a suspended agency work again; an operator and an officer each do this once."""
    _do(data, person, secret, lambda session, by, at: service.resume(session, _id(agency_id), by, now=at))


@agency.command("convening")
@click.argument("agency_id")
@click.option("--allow/--forbid", "allowed", required=True, help="Whether it may call a support conference.")
@signed_in
def convening(agency_id: str, allowed: bool, person: str, secret: TextIO | None, data: Path | None) -> None:
    """Say whether an agency may call a support conference; an operator and an officer each do this once."""

    def deed(session: Session, by: Approver, at: datetime) -> Agency:
        return service.set_convening(session, _id(agency_id), by, allowed=allowed, now=at)

    _do(data, person, secret, deed)


# one key name in 64 begins with a hyphen and is no option
@agency.command("revoke-key", context_settings={"ignore_unknown_options": True})
@click.argument("agency_id")
@click.argument("kid")
@signed_in
def revoke_key(agency_id: str, kid: str, person: str, secret: TextIO | None, data: Path | None) -> None:
    """End a key that its agency cannot end itself; an operator and an officer each do this once."""

    def deed(session: Session, by: Approver, at: datetime) -> Agency | None:
        service.revoke_key(session, _id(agency_id), kid, by, now=at)
        return reads.agency(session, agency_id)

    _do(data, person, secret, deed)


def signing_in(data: Path | None, person: str, secret: TextIO | None) -> Approver:
    """Sign a person in, or end with a sentence."""
    passphrase = _passphrase(secret, confirm=False)
    with _transaction(data, Duty.SIGN_IN) as session:
        member = staff_service.check(session, _id(person), passphrase, now=now(session))
    if member is None:
        raise click.ClickException(_text("sign-in-refused"))
    return Approver(staff=member.id, role=member.role.value)


def settings_of(data: Path | None) -> Settings:
    """Read the settings: the environment, and below it what the hub in `data` left for other commands."""
    return Settings.from_environment({**(site.environment(data) if data else {}), **os.environ})


def _do(data: Path | None, person: str, secret: TextIO | None, deed: Deed) -> None:
    """Sign the person in, do the deed in a transaction of its own, and print where the agency stands."""
    by = signing_in(data, person, secret)
    with _transaction(data, Duty.DIRECTORY) as session:
        known = deed(session, by, now(session))
    if known is not None:
        click.echo(f"{known.id}  {known.state.value}")


@contextmanager
def _transaction(data: Path | None, duty: Duty) -> Iterator[Session]:
    """Open a transaction of the hub's; a refusal becomes what the catalogue says of it."""
    settings = settings_of(data)
    database = Database(settings.database_url, Role.HUB, prepare_threshold=settings.prepare_threshold)
    try:
        with database.transaction(None, duty) as session:
            yield session
    except (HubError, TsunagiError) as refused:
        raise click.ClickException(_text(refused.code)) from None
    finally:
        database.close()


def _text(code: str) -> str:
    found = catalogue().get(code)
    return code if found is None else f"{found.title[language()]}: {found.detail[language()]} ({code})"


def _id(text: str) -> str:
    if not is_id(text):
        raise click.ClickException(_text("not-found"))
    return text


def _passphrase(secret: TextIO | None, *, confirm: bool) -> str:
    if secret is not None:
        return secret.read().strip("\r\n")
    passphrase: str = click.prompt(sentence("passphrase-asked"), hide_input=True, confirmation_prompt=confirm)
    return passphrase
