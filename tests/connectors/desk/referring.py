# SPDX-License-Identifier: Apache-2.0
"""Referrals between two desks: sent as a worker sends them, carried by rounds, opened by the receiver."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from connectors.casebook import files, referral_files
from consent.envelope.sealing import PlainPart
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import NAME, Network, consent, letter, open_case, text

CANARY = "かなりあ架空の事情"


@dataclass
class Referred:
    """A referral that the office sent to the partner, with a browser on each side."""

    id: str
    case: str
    message: str
    network: Network
    office: Office
    partner: Office
    ours: Browser
    theirs: Browser
    we: str
    they: str

    def round(self) -> None:
        """Let both sides make a round with the hub."""
        for _ in range(2):
            self.office.connector.sync()
            self.partner.connector.sync()

    def later(self, **by: float) -> None:
        """Let time pass; both sign in anew."""
        self.network.clock.on(**by)
        self.ours, self.theirs = self.office.browser(self.we), self.partner.browser(self.they)

    @property
    def state(self) -> str:
        return self.network.hub.referrals[self.id].state

    def make(self, side: Browser, event: str, **fields: object) -> Page:
        """Make a move by its form, as a browser would."""
        page = side.get(f"/referrals/{self.id}/moves/{event}")
        data = {f"{event}-{name}": value for name, value in fields.items()}
        done = side.send(page, data, form=f"form[action$='/moves/{event}']")
        self.round()
        return done

    def open(self) -> Page:
        """Open it at the partner's inbox."""
        page = self.theirs.get(f"/inbox/{self.id}")
        done = self.theirs.send(page, form="form[action$='/open']")
        self.round()
        return done

    def accept(self) -> Page:
        page = self.theirs.get(f"/inbox/{self.id}")
        done = self.theirs.send(page, form="form[action$='/accept']")
        self.round()
        return done

    def decline(self, **fields: object) -> Page:
        """Decline as the inbox does: the form, then the sentence that the person will hear."""
        said = {"decline-reason": "out_of_area", "decline-suggestion": "think_together"}
        said |= {f"decline-{name}": value for name, value in fields.items()}  # type: ignore[misc]
        first = self.theirs.send(self.theirs.get(f"/inbox/{self.id}"), said, form="form[action$='/decline']")
        if first.status != 200:
            return first
        done = self.theirs.send(first, form="form[action$='/decline']")
        self.round()
        return done


def form_part() -> PlainPart:
    """Give an identity part as the wizard sends it."""
    answers = [{"field": "name", "ja": "氏名", "en": "Name", "value": NAME}]
    body = json.dumps({"form": "shakyo", "version": "2026-11", "answers": answers}, ensure_ascii=False)
    return PlainPart(category="identity", media="application/json", body=body.encode())


def refer(network: Network, office: Office, partner: Office, *parts: PlainPart, **changes: object) -> Referred:
    """Send a referral from the office to the partner and let it arrive."""
    we, they = office.hire("仮名 恵"), partner.hire("架空 望")
    case = open_case(office.connector)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen(we)
        files.open_file(connection, pen, case=case, on=office.connector.now().date(), worker=we)
    categories = frozenset({"identity", "contact", "consultation", "support_record", "income_assets"})
    consent(office.connector, case, partner.connector.agency, categories=categories)
    office.connector.sync()
    told = parts or (form_part(), text("consultation", CANARY))
    message = office.connector.send(letter(case, partner.connector, *told, **changes), staff=we)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen(we)
        referral_files.open_file(connection, pen, thread=message, opener=pen.agency, case=case, worker=we, document={})
    made = Referred(
        id="", case=case, message=message, network=network, office=office, partner=partner,
        ours=office.browser(we), theirs=partner.browser(they), we=we, they=they,
    )  # fmt: skip
    made.round()
    (made.id,) = [one.id for one in network.hub.referrals.values() if one.case == case]
    return made


@pytest.fixture
def referred(network: Network, office: Office, partner: Office) -> Referred:
    """A referral that has arrived and that nobody has opened."""
    return refer(network, office, partner)
