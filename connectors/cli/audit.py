# SPDX-License-Identifier: Apache-2.0
"""`tsunagi audit`: the log as this agency sees it: a checked checkpoint, a proof, who received what of a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.base.errors import EXIT_FAILED, ConnectorError
from connectors.cli import evidence, saying
from connectors.cli.desk import Desk
from connectors.cli.errors import CliError
from connectors.cli.frame import argument, option, verb
from connectors.cli.kinds import Id
from connectors.cli.saying import Said
from connectors.sync import bundling, proofs
from connectors.sync.connector import Connector
from consent import wire
from consent.calendar import moment
from consent.errors import TsunagiError
from consent.evidence import records
from consent.tlog import notes
from consent.wire import is_id

audit: Final = evidence.audit
_DISCLOSURE: Final = "message:accepted"
_OPENED: Final = "receipt:delivered"


@verb(audit, "checkpoint", option("--save"))
def checkpoint(desk: Desk, *, save: str | None) -> Said:
    """Check the newest checkpoint: the hub's signature, and that it continues the log seen before."""
    with desk.open() as connector:
        note = connector.hub.checkpoint()
        try:
            seen = notes.open_checkpoint(note, proofs.pinned(connector).log)
        except TsunagiError:
            raise ConnectorError("proof-bad") from None
        proofs.follow(connector, seen, note)
    if save is not None:
        desk.save(save, note)
    lines = [desk.text("checkpoint-holds", origin=seen.origin, size=seen.size, root=seen.root.hex())]
    return Said(document={"origin": seen.origin, "size": seen.size, "root": seen.root.hex(), "note": note}, lines=lines)


@verb(audit, "forked")
def forked(desk: Desk) -> Said:
    """Show the two signed notes of a log that was found to be two; exit code 1 if there are any."""
    with desk.open() as connector, connector.casebook.transaction() as connection:
        found = proofs.forked(connection)
    if found is None:
        return Said(document={"fork": None}, lines=[desk.text("log-is-one")])
    lines = [desk.text("log-is-two", at=found.at)]
    lines += [line for note in (found.seen or "", found.shown) for line in ("", *note.rstrip("\n").split("\n"))]
    return Said(document={"fork": found}, lines=lines, code=EXIT_FAILED)


@verb(audit, "proof", argument("entry"), option("--save"))
def proof(desk: Desk, *, entry: str, save: str | None) -> Said:
    """Prove that an entry is in the log, named by its id or number; `--save` keeps the proof for others to check."""
    with desk.open() as connector:
        shown = connector.hub.log_entry(_entry_id(connector, entry))
        members = proofs.verify_entry(connector, shown.entry, shown.proof)
    if save is not None:
        desk.save(save, shown.proof)
    lines = [desk.text("proof-holds", index=shown.index, kind=members.get("kind"))]
    return Said(document={"index": shown.index, "entry": members, "proof": shown.proof}, lines=lines)


@verb(audit, "bundle", argument("bundle"))
def bundle(desk: Desk, *, bundle: str) -> Said:
    """Write this agency's bundle of evidence into a new file, for `audit verify` and for others to check."""
    with desk.open() as connector:
        count = evidence.write_new(bundle, lambda out: bundling.write(connector, out))
    said = desk.text("bundle-written", file=bundle, entries=count)
    return Said(document={"file": bundle, "entries": count}, lines=[said])


@verb(audit, "records", argument("file"))
def own_records(desk: Desk, *, file: str) -> Said:
    """Write what this agency holds of the messages it sent and opened: signed words, for the other side to compare."""
    with desk.open() as connector:
        mine = evidence.records_of(connector)
    evidence.write_new(file, lambda out: records.write(out, mine.holder, mine.held))
    said = desk.text("records-written", file=file, messages=len(mine.held))
    return Said(document={"file": file, "messages": len(mine.held)}, lines=[said])


@verb(audit, "compare", argument("bundle"), option("--other", many=True), option("--key"))
def compare(desk: Desk, *, bundle: str, other: tuple[str, ...], key: str | None) -> Said:
    """Hold the log's bundle against our own casebook and the other side's records; name what disagrees."""
    with desk.open() as connector:
        mine = evidence.records_of(connector)
    return evidence.compared(desk, bundle, key, (mine, *map(evidence.read_records, other)))


@verb(audit, "who", argument("case", Id()), option("--bundle"), option("--key"))
def who(desk: Desk, *, case: str, bundle: str | None, key: str | None) -> Said:
    """List who received what of a case, for which purpose, on which basis, as the log has it."""
    if bundle is not None:
        return evidence.who_by_bundle(desk, case, bundle, key)
    with desk.open() as connector:
        disclosures = list(_disclosures(connector, case))
        rows = [
            (
                saying.moment(moment(one["at"])),
                desk.name_of(connector, one["from"]),
                desk.name_of(connector, one["to"]),
                desk.label("purposes", one["purpose"]),
                desk.labels("categories", tuple(one["categories"])),
                desk.label("legal_basis", one["basis"]),
                desk.text("opened" if one["opened"] else "not-opened"),
                str(one["index"]),
            )
            for one in disclosures
        ]
    head = desk.head("at", "sender", "recipient", "purpose", "categories", "basis", "opened", "index")
    lines = saying.table(head, rows) if rows else [desk.text("nothing-disclosed")]
    return Said(document={"case": case, "disclosures": disclosures}, lines=lines)


def _disclosures(connector: Connector, case: str) -> Iterator[dict[str, Any]]:
    """Read the disclosures among the entries that name us; a delivery receipt says that one was opened."""
    logged = [(one.index, one.id, wire.parse(one.entry)) for one in connector.hub.log_entries(case=case)]
    opened = {members.get("subject") for _, _, members in logged if members.get("kind") == _OPENED}
    for index, entry, members in logged:
        if members.get("kind") != _DISCLOSURE:
            continue
        facts = proofs.facts_of(members)
        yield {
            "index": index,
            "entry": entry,
            "at": members.get("at"),
            "from": _member(facts, "from", "agency"),
            "to": _member(facts, "to", "agency"),
            "purpose": facts.get("purpose"),
            "categories": [part["category"] for part in facts.get("parts", ())],
            "basis": _member(facts, "basis", "kind"),
            "consents": facts.get("consents", []),
            "against_exclusion": bool(facts.get("against_exclusion")),
            "opened": members.get("subject") in opened,
        }


def _member(facts: Mapping[str, Any], name: str, inner: str) -> Any:
    found = facts.get(name)
    return found.get(inner) if isinstance(found, dict) else found


def _entry_id(connector: Connector, said: str) -> str:
    if is_id(said):
        return said
    if not (said.isascii() and said.isdecimal()):
        raise CliError("entry-malformed")
    found = (one.id for one in connector.hub.log_entries() if one.index == int(said))
    entry = next(found, None)
    if entry is None:
        raise CliError("entry-unknown")
    return entry
