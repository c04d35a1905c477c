# SPDX-License-Identifier: Apache-2.0
"""A correction reaches everybody who received the category before, as far as consent goes; who cannot is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from connectors.casebook import access, corrected, corrections, directory, earlier, statements
from connectors.casebook.corrections import Made, NobodyToTellError, Wording
from connectors.sync.connector import Connector
from consent.envelope import corrections as written
from consent.envelope.corrections import MEDIA, CorrectedPart, Correction
from consent.envelope.manifest import ByEmergency, MessageKind
from consent.envelope.sealing import PlainPart
from consent.errors import DocumentRefusedError
from consent.receipts import WithdrawalRecord
from consent.scopes import ANY, Exclusion
from tests.connectors.story import NOW, STAFF, Network, consent, letter, open_case, refused, text

WRONG = "架空の電話 000-0000-0001"
RIGHT = "正しい電話は 000-0000-0002 です（架空）"
COLLEAGUE = "s-09"


@dataclass
class Told:
    """A person's contact, told to two councils in three threads, wrong."""

    network: Network
    ours: Connector
    first: Connector
    second: Connector
    case: str
    messages: tuple[str, str, str]
    consents: tuple[str, str]

    def rounds(self) -> None:
        for one in (self.ours, self.first, self.second, self.ours):
            one.sync()

    def reach(self, category: str = "contact") -> dict[str, earlier.Addressee]:
        with self.ours.casebook.transaction() as connection:
            found = earlier.reach(connection, self.ours.pen(STAFF), case=self.case, category=category)
        return {one.parts[0].message: one for one in found}

    def wording(self, **changes: str) -> Wording:
        said = Wording(id=self.ours.new_id(), case=self.case, message=self.messages[0], category="contact", text=RIGHT)
        return replace(said, **changes)  # type: ignore[arg-type]

    def make(self, wording: Wording | None = None) -> Made:
        """Make a correction known to everybody, and let it arrive."""
        wording = wording or self.wording()
        everybody = {one.referral for one in self.reach(wording.category).values()}
        with self.ours.casebook.transaction() as connection:
            corrections.make_known(connection, self.ours.pen(STAFF), wording, everybody, own=self.ours.own_key())
        self.rounds()
        return self.look(wording.id)

    def look(self, correction: str) -> Made:
        with self.ours.casebook.transaction() as connection:
            found = corrections.made(connection, correction, self.ours.agency)
        assert found is not None
        return found

    def again(self, correction: str) -> tuple[str, ...]:
        with self.ours.casebook.transaction() as connection:
            return corrections.try_again(connection, self.ours.pen(STAFF), correction, own=self.ours.own_key())

    def marks(self, at: Connector, message: str, n: int = 2) -> tuple[corrected.Mark, ...]:
        with at.casebook.transaction() as connection:
            found = corrected.marks_of(connection, self.case, at.agency)
        return corrected.on(found, (message, self.ours.agency, n), "contact")

    def take_back(self, consent_id: str) -> None:
        with self.ours.casebook.transaction() as connection:
            record = WithdrawalRecord(
                id=self.ours.new_id(), agency=self.ours.agency, case=self.case, scopes=frozenset({consent_id}),
                to=frozenset(), categories=frozenset(), at=self.ours.now(),
            )  # fmt: skip
            statements.withdraw(connection, record, self.ours.pen(STAFF))


@pytest.fixture
def told(network: Network, j1: Connector, s1: Connector) -> Told:
    second = network.join("shakyo")
    network.meet()
    case = open_case(j1)
    consents = consent(j1, case, s1.agency), consent(j1, case, second.agency)
    both = text("identity"), text("contact", WRONG)
    messages = (
        j1.send(letter(case, s1, *both)),
        j1.send(letter(case, second, *both)),
        j1.send(letter(case, s1, text("identity"), text("contact", WRONG))),
    )
    j1.send(letter(case, s1, text("identity")))
    made = Told(network, j1, s1, second, case, messages, consents)
    made.rounds()
    return made


def test_every_thread_in_which_the_category_went_is_reached_and_no_other(told: Told) -> None:
    found = told.reach()
    assert set(found) == set(told.messages)
    assert [one.is_reachable for one in found.values()] == [True] * 3
    assert found[told.messages[0]].parts == (CorrectedPart(message=told.messages[0], n=2),)
    assert told.reach("income_assets") == {}


def test_it_is_composed_once_and_arrives_as_a_notice_that_names_the_parts_of_each_thread(told: Told) -> None:
    made = told.make()
    sent = [one for one in told.network.hub.messages.values() if one.kind == "notice"]
    assert len(sent) == 3
    assert {one.message for one in sent} == {one.message for one in made.told}
    for one in sent:
        manifest = told.network.hub.manifest_of(one)
        assert [(part.category, part.media) for part in manifest.parts] == [("contact", MEDIA)]
        assert manifest.kind is MessageKind.NOTICE
    (own,) = [one for one in made.told if one.agency == told.second.agency]
    (part,) = told.second.read(own.message or "", told.ours.agency, staff=COLLEAGUE)
    said = written.read_correction(part.body)
    assert (said.id, said.text) == (made.id, RIGHT)
    assert said.corrects == (CorrectedPart(message=told.messages[1], n=2),)


def test_the_earlier_part_is_marked_at_once_and_says_what_is_right_when_somebody_has_read_it(told: Told) -> None:
    made = told.make()
    (mark,) = told.marks(told.second, told.messages[1])
    assert (mark.text, mark.confirmed_at) == ("", None)
    assert told.marks(told.second, told.messages[1], n=1) == ()
    told.second.read(mark.notice, told.ours.agency, staff=COLLEAGUE)
    (mark,) = told.marks(told.second, told.messages[1])
    assert (mark.text, mark.confirmed_at) == (RIGHT, NOW)
    (ours,) = told.marks(told.ours, told.messages[1])
    assert (ours.text, ours.sender) == (RIGHT, told.ours.agency)
    assert made.open == 3


def test_the_sender_sees_who_has_confirmed_and_who_has_not(told: Told) -> None:
    made = told.make()
    assert [(one.state, one.arrived_at, one.confirmed_at) for one in made.told] == [("accepted", NOW, None)] * 3
    (mark,) = told.marks(told.second, told.messages[1])
    told.second.read(mark.notice, told.ours.agency, staff=COLLEAGUE)
    told.rounds()
    for one in told.look(made.id).told:
        told.ours.refresh_referral(one.referral)
    found = told.look(made.id)
    assert {one.agency for one in found.told if one.confirmed_at} == {told.second.agency}
    assert found.open == 2
    with told.ours.casebook.transaction() as connection:
        assert "correction:made" in [one.action for one in access.history(connection, told.case)]


def test_the_same_wording_again_changes_nothing(told: Told) -> None:
    wording = told.wording()
    told.make(wording)
    before = len(told.network.hub.messages)
    told.make(wording)
    assert len(told.network.hub.messages) == before


def test_the_hub_sees_no_word_of_it(told: Told) -> None:
    told.make()
    hub = told.network.hub
    seen = repr((hub.messages, hub.referrals, hub.log.entries, hub.events, hub.tasks))
    assert RIGHT not in seen
    assert json.dumps(RIGHT)[1:-1] not in seen


# ── who cannot be told ──


def _withdrawn(told: Told) -> None:
    told.take_back(told.consents[1])


def _expired(told: Told) -> None:
    told.network.clock.on(days=91)
    told.rounds()


def _excluded(told: Told) -> None:
    word = Exclusion(
        id=told.ours.new_id(), case=told.case, to=frozenset({ANY}), categories=frozenset({"contact"}), from_time=NOW
    )
    with told.ours.casebook.transaction() as connection:
        statements.keep_exclusion(connection, word, None)


def _left(told: Told) -> None:
    with told.ours.casebook.transaction() as connection:
        known = directory.agency(connection, told.second.agency)
        connection.execute(
            directory.tables.agencies.update()
            .where(directory.tables.agencies.c.id == known.id)
            .values(state="suspended")
        )


def _without_key(told: Told) -> None:
    with told.ours.casebook.transaction() as connection:
        connection.execute(
            directory.tables.agencies.update()
            .where(directory.tables.agencies.c.id == told.second.agency)
            .values(keys=[])
        )


def _stale(told: Told) -> None:
    told.network.clock.on(hours=25)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_withdrawn, "WITHDRAWN"),
        (_excluded, "EXCLUDED_BY_SUBJECT"),
        (_expired, "EXPIRED"),
        (_left, "agency-inactive"),
        (_without_key, "recipient-without-key"),
        (_stale, "status-stale"),
    ],
)
def test_who_cannot_be_told_is_named_with_the_reason_and_gets_nothing(
    told: Told, happens: Callable[[Told], None], why: str
) -> None:
    happens(told)
    found = told.reach()[told.messages[1]]
    assert (found.is_reachable, found.why) == (False, why)
    before = len(told.network.hub.messages)
    with told.ours.casebook.transaction() as connection, pytest.raises(NobodyToTellError):
        corrections.make_known(
            connection, told.ours.pen(STAFF), told.wording(), {found.referral}, own=told.ours.own_key()
        )
    told.ours.push()
    assert len(told.network.hub.messages) == before


def test_who_could_not_be_told_is_kept_and_told_when_it_may_be(told: Told) -> None:
    _withdrawn(told)
    made = told.make()
    (left_out,) = [one for one in made.told if not one.is_sealed]
    assert (left_out.agency, left_out.why) == (told.second.agency, "WITHDRAWN")
    assert told.again(made.id) == ()
    consent(told.ours, told.case, told.second.agency)
    told.rounds()
    (sealed,) = told.again(made.id)
    told.rounds()
    assert told.marks(told.second, told.messages[1])[0].notice == sealed
    assert [one.why for one in told.look(made.id).told] == [None] * 3


def test_it_may_be_told_in_another_way_unless_consent_forbids(told: Told) -> None:
    _withdrawn(told)
    made = told.make()
    by_agency = {one.agency: one.referral for one in made.told}
    with told.ours.casebook.transaction() as connection, refused("told-against-consent"):
        corrections.note_told(
            connection, told.ours.pen(STAFF), made.id, by_agency[told.second.agency], channel="telephone"
        )
    with told.ours.casebook.transaction() as connection:
        first = by_agency[told.first.agency]
        corrections.note_told(connection, told.ours.pen(STAFF), made.id, first, channel="telephone")
        corrections.note_told(connection, told.ours.pen(COLLEAGUE), made.id, first, channel="letter")
    noted = [(one.told_how, one.told_by) for one in told.look(made.id).told if one.told_at]
    assert noted == [("telephone", STAFF)]
    with told.ours.casebook.transaction() as connection, refused("correction-unknown"):
        corrections.note_told(connection, told.ours.pen(STAFF), made.id, "nowhere", channel="letter")


def test_what_went_through_the_emergency_door_is_corrected_through_it_while_it_is_open(
    network: Network, j1: Connector, s1: Connector
) -> None:
    case = open_case(j1)
    basis = ByEmergency(
        threat="life", difficulty="unreachable", requester=STAFF, approver=COLLEAGUE, approver_role="supervisor",
        approved_at=NOW,
    )  # fmt: skip
    message = j1.send(letter(case, s1, text("contact", WRONG), basis=basis))
    j1.sync()
    told = Told(network, j1, s1, s1, case, (message, message, message), ("", ""))
    assert told.reach()[message].basis == basis
    told.make()
    assert [told.network.hub.manifest_of(one).basis for one in network.hub.messages.values()] == [basis, basis]
    network.clock.on(hours=73)
    assert told.reach()[message].why == "NO_CONSENT"


def test_what_the_hub_refuses_after_all_is_no_correction_made_and_can_be_tried_again(told: Told) -> None:
    elsewhere = WithdrawalRecord(
        id=told.ours.new_id(), agency=told.ours.agency, case=told.case, scopes=frozenset({told.consents[1]}),
        to=frozenset(), categories=frozenset(), at=NOW,
    )  # fmt: skip
    told.network.hub.withdrawals.setdefault(told.case, []).append(elsewhere.withdrawal())
    wording = told.wording()
    everybody = {one.referral for one in told.reach().values()}
    with told.ours.casebook.transaction() as connection:
        corrections.make_known(connection, told.ours.pen(STAFF), wording, everybody, own=told.ours.own_key())
    told.ours.push()
    states = {(one.agency, one.state, one.is_sealed) for one in told.look(wording.id).told}
    assert states == {(told.first.agency, "accepted", True), (told.second.agency, "refused", False)}
    assert told.marks(told.ours, told.messages[1]) == ()


# ── refusals ──


IMPOSSIBLE: tuple[tuple[dict[str, str], str], ...] = (
    ({"message": "00000000-0000-7000-8000-000000000000"}, "message-unknown"),
    ({"category": "income_assets"}, "category-not-told"),
    ({"case": "00000000-0000-4000-8000-000000000000"}, "message-unknown"),
    ({"text": "番号は 1234 5678 9018"}, "my-number"),
    ({"text": "番号は１２３４５６７８９０１８"}, "my-number"),
)


def test_a_correction_that_cannot_be_made_changes_nothing(told: Told) -> None:
    before = len(told.network.hub.messages)
    everybody = {one.referral for one in told.reach().values()}
    for changes, code in IMPOSSIBLE:
        wording = told.wording(**changes)
        with refused(code), told.ours.casebook.transaction() as connection:
            corrections.make_known(connection, told.ours.pen(STAFF), wording, everybody, own=told.ours.own_key())
    told.ours.push()
    assert len(told.network.hub.messages) == before
    with told.ours.casebook.transaction() as connection:
        assert corrections.of_case(connection, told.case, told.ours.agency) == []


@pytest.mark.parametrize("said", ["", "あ" * 4001, "a\0b", "\ud800"])
def test_a_text_that_its_receiver_would_refuse_is_not_written(said: str) -> None:
    some = "0196b3a0-0000-7000-8000-000000000001"
    about = (CorrectedPart(message=some, n=2),)
    with pytest.raises(DocumentRefusedError):
        written.write_correction(Correction(id=some, category="contact", corrects=about, text=said))


def _send_notice(told: Told, sender: Connector, to: Connector, part: PlainPart) -> str:
    with sender.casebook.transaction() as connection:
        referral = corrections.tables.referrals.c
        row = connection.execute(corrections.tables.referrals.select().where(referral.thread == told.messages[0])).one()
    sent = sender.send(letter(told.case, to, part, kind=MessageKind.NOTICE, referral=row.id, thread=row.thread))
    sender.push()
    to.sync()
    to.read(sent, sender.agency, staff=COLLEAGUE)
    return sent


@pytest.mark.parametrize("case_of", ["another's part", "another category", "no JSON", "more members"])
def test_what_is_no_correction_of_its_senders_own_part_marks_nothing(told: Told, case_of: str) -> None:
    about = (CorrectedPart(message=told.messages[0], n=2),)
    said = Correction(id=told.ours.new_id(), category="contact", corrects=about, text=RIGHT)
    body = written.write_correction(said)
    sender, to, category = told.ours, told.first, "contact"
    if case_of == "another's part":
        sender, to = told.first, told.ours
    elif case_of == "another category":
        category = "identity"
    elif case_of == "no JSON":
        body = b"\xff{"
    else:
        body = json.dumps({**json.loads(body), "sender": told.ours.agency}).encode()
    _send_notice(told, sender, to, PlainPart(category=category, media=MEDIA, body=body))
    assert told.marks(to, told.messages[0]) == ()
    with to.casebook.transaction() as connection:
        assert (told.messages[0], told.ours.agency) not in corrected.messages_corrected(
            connection, told.case, to.agency
        )
