# SPDX-License-Identifier: Apache-2.0
"""`Connector`: one agency's side of the network in one object, opened from its folder.

`open_connector(folder, passphrase)` gives it, `send` puts a letter into it, `sync` makes a round with the hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Self

import requests

from connectors.base.clock import Clock, system_clock
from connectors.base.errors import ConnectorError
from connectors.casebook import compose, notices, preview, receive, statements
from connectors.casebook.anchors import Checked, Verdict
from connectors.casebook.compose import Letter
from connectors.casebook.receive import ReadPart
from connectors.casebook.store import open_casebook
from connectors.keystore.keyfile import Stretching
from connectors.keystore.keystore import Keystore, open_keystore
from connectors.sdk.client import HubClient
from connectors.sdk.interface import Body, Hub
from connectors.sdk.session import HubSession
from connectors.sdk.threads import MessageAccepted, Notice, Opened
from connectors.sync import anchoring, cases, directory, inbound, mirroring, news, outbound, witnesses
from connectors.sync.directory import Fetched
from connectors.sync.inbound import Collected
from connectors.sync.outbound import Pushed
from connectors.sync.registration import AgencySettings, read_settings
from connectors.sync.station import SYSTEM, Station
from consent.decisions import Permitted, Refused
from consent.envelope import manifest as manifests
from consent.keys import KeyUse
from consent.receipts import PurgeAnswer

CASEBOOK_FILE: Final = "casebook.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one round did: sent, learnt of the directory, received, and sent because of that (receipts).

    `unlogged`: messages that the hub promised to log by now and has not; an alarm for the operator.
    """

    pushed: Pushed
    fetched: Fetched
    collected: tuple[Collected, ...]
    answered: Pushed
    unlogged: tuple[str, ...]

    @property
    def refused(self) -> tuple[outbound.Settled, ...]:
        """What the hub did not take."""
        return self.pushed.refused + self.answered.refused


@dataclass(frozen=True, kw_only=True)
class Connector(Station):
    """One agency's side of the network. Safe to use from several threads; a casebook serves several processes."""

    settings: AgencySettings

    # ── the round ──

    def push(self) -> Pushed:
        """Send what waits."""
        return outbound.push(self)

    def fetch_directory(self) -> Fetched:
        """Learn who is there and with which keys, each verified."""
        return directory.fetch_directory(self)

    def refresh_case(self, case: str) -> None:
        """Learn how a case stands: state, consents, statuses, refusals, what was taken back."""
        cases.refresh_case(self, case)

    def refresh_referral(self, referral: str) -> None:
        """Learn how one referral stands, in full, for a page that shows it next."""
        inbound.refresh_referrals(self)
        mirroring.refresh_details(self, [referral])

    def refresh_course(self, case: str) -> None:
        """Learn how one case stands in the thirteen steps, for a page that shows it next."""
        mirroring.refresh_courses(self, [case])

    def collect(self, *, wait: int = 0) -> tuple[Collected, ...]:
        """Take in what waits for us."""
        return inbound.collect(self, wait=wait)

    def renew_statuses(self) -> int:
        """Say anew of our consents that they are live, where half of the last word's term is over."""
        with self.casebook.transaction() as connection:
            return statements.renew_statuses(connection, self.pen())

    def rotate_key(self, use: KeyUse, passphrase: str, *, stretching: Stretching | None = None) -> None:
        """Make the next key of a use and publish it; must be done while the one before is still valid (protocol §3).

        *Raises* `ConnectorError`, `ProblemError`, `HubAwayError`; a key that was made but not published is published by
        the next call of `publish_keys`. `stretching` as `keyfile.write`.
        """
        self.keystore.rotate(use, now=self.clock(), passphrase=passphrase, stretching=stretching)
        self.publish_keys()

    def publish_keys(self) -> int:
        """Publish every key of ours that the directory does not have yet; give how many."""
        known = {key.kid for key in self.hub.agency_keys(self.agency).keys}
        directory.know_own_keys(self)
        missing = [held for held in self.keystore.held if held.entry.kid not in known]
        for held in missing:
            self.hub.publish_key(held.signed)
        return len(missing)

    def sync(self) -> Synced:
        """Make one round: renew and send what waits, learn what is new, take in what waits for us, acknowledge it.

        *Raises* `HubAwayError` when the hub does not answer while something is fetched; what waits goes on waiting.
        """
        anchoring.anchor_past_days(self)
        self.renew_statuses()
        pushed = self.push()
        news.countersign(self, pushed.refused)
        fetched = self.fetch_directory()
        mirroring.refresh_profiles(self)
        cases.refresh_meetings(self)
        news.heed(self)
        witnesses.look(self)
        collected = self.collect()
        answered = self.push()
        mirroring.refresh_stale_details(self)
        mirroring.refresh_tasks(self)
        mirroring.refresh_stale_courses(self)
        unlogged = outbound.prove_sent(self)
        return Synced(pushed=pushed, fetched=fetched, collected=collected, answered=answered, unlogged=unlogged)

    def check_anchor(self, day: date) -> tuple[Checked, Verdict]:
        """Read a day of our own access log again, and say whether the hub's log holds just these lines.

        *Raises* as `anchoring.check_at_hub`.
        """
        return anchoring.check_at_hub(self, day)

    # ── messages ──

    def preview(self, letter: Letter) -> tuple[tuple[str, Permitted | Refused], ...]:
        """Decide each part of a letter as the hub will, with what is known here."""
        with self.casebook.transaction() as connection:
            return preview.preview(
                connection,
                case=letter.case,
                sender=self.agency,
                recipient=letter.recipient,
                purpose=letter.purpose,
                categories=[part.category for part in letter.parts],
                basis=manifests.basis_from(letter.basis),
                now=self.now(),
            )

    def send(self, letter: Letter, *, staff: str = SYSTEM) -> str:
        """Decide, seal and queue a letter for the next round; give the message's id. Works with the line down.

        *Raises* as `compose.send`.
        """
        with self.casebook.transaction() as connection:
            return compose.send(connection, letter, self.pen(staff), own=self.own_key())

    def submit(self, letter: Letter, *, staff: str = SYSTEM, telephone: Body | None = None) -> Opened | MessageAccepted:
        """Seal a letter without asking whether it may go, and give it to the hub at once: the hub itself decides.

        For rehearsals and tests; a desk uses `send`. *Raises* as `outbound.submit`.
        """
        return outbound.submit(self, letter, self.pen(staff), telephone=telephone)

    def read(self, message: str, sender: str, *, staff: str) -> tuple[ReadPart, ...]:
        """Show a message to a named worker; the first reading queues the read receipt.

        *Raises* `ConnectorError("message-unknown")`.
        """
        with self.casebook.transaction() as connection:
            return receive.read(connection, message, sender, self.pen(staff))

    def answer_notice(
        self,
        notice: Notice,
        answer: PurgeAnswer,
        *,
        staff: str,
        ground: str | None = None,
        until: datetime | None = None,
    ) -> int:
        """Purge, return or keep by law what a notice is about, and queue the signed word; give how many parts went.

        *Raises* `DocumentRefusedError`.
        """
        with self.casebook.transaction() as connection:
            return notices.answer_notice(connection, notice, answer, self.pen(staff), ground=ground, until=until)

    # ── opened and closed ──

    def close(self) -> None:
        """Close the casebook."""
        self.casebook.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_connector(
    folder: Path,
    passphrase: str,
    *,
    clock: Clock = system_clock,
    language: str = "ja",
    hub: Hub | None = None,
    transport: requests.Session | None = None,
) -> Connector:
    """Open the agency in a folder made by `create_agency`; `hub` stands in for the one its settings name.

    *Raises* `ConnectorError`: `folder-missing`, `configuration-bad`, `keystore-missing`, `wrong-passphrase`,
    `casebook-unreadable`, `url-not-https`, `key-missing`, `witness-policy-bad`.
    """
    settings = read_settings(folder)
    keystore = open_keystore(folder, passphrase)
    if keystore.agency != settings.agency:
        raise ConnectorError("configuration-bad", file=folder.name, where="agency")
    watch = witnesses.read_watch(folder, settings.late_witnesses)
    hub = hub or _client(settings, keystore, clock, language, transport)
    casebook = open_casebook(folder / CASEBOOK_FILE, keystore.casebook_key)
    return Connector(
        agency=settings.agency,
        kind=settings.kind,
        keystore=keystore,
        casebook=casebook,
        hub=hub,
        clock=clock,
        settings=settings,
        watch=watch,
    )


def _client(
    settings: AgencySettings, keystore: Keystore, clock: Clock, language: str, transport: requests.Session | None
) -> HubClient:
    session = HubSession(
        url=settings.hub,
        client_id=settings.client_id,
        key=lambda: keystore.current(KeyUse.CLIENT, clock()),
        clock=clock,
        language=language,
        transport=transport,
    )
    return HubClient(session)
