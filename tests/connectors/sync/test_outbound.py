# SPDX-License-Identifier: Apache-2.0
"""What waits goes out once and in order, whatever breaks in between; what the hub says is written down."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from connectors.base.errors import HubAwayError
from connectors.casebook import compose, statements, tables
from connectors.sdk.problems import ConsentRefusedError, ProblemError, problem_of
from connectors.sync import outbound
from connectors.sync.connector import Connector
from connectors.testing.seat import Seat
from consent.envelope.manifest import MessageKind
from consent.keys import KeyUse, generate
from tests.connectors.story import NAME, PASSPHRASE, STAFF, Network, consent, letter, open_case, refused, text, waiting


class Broken(Seat):
    """A seat whose line breaks in one call: before the hub hears it, or after it has acted."""

    breaks: str = ""
    after: bool = False

    def __getattribute__(self, name: str):
        call = super().__getattribute__(name)
        if name.startswith("_") or name != super().__getattribute__("breaks"):
            return call

        def broken(*args, **options):
            self.breaks = ""
            if self.after:
                call(*args, **options)
            raise HubAwayError("hub-away", url="memory")

        return broken


def broken(connector: Connector, network: Network, call: str, *, after: bool) -> Connector:
    seat = Broken(network.hub, connector.agency)
    seat.breaks, seat.after = call, after
    return replace(connector, hub=seat)


def state_of(connector: Connector, message: str) -> str:
    with connector.casebook.transaction() as connection:
        return connection.execute(
            sa.select(tables.messages.c.state).where(tables.messages.c.id == message)
        ).scalar_one()


@pytest.fixture
def case(j1: Connector, s1: Connector) -> str:
    made = open_case(j1)
    consent(j1, made, s1.agency)
    return made


def test_everything_goes_out_in_the_order_in_which_it_was_written(j1: Connector, s1: Connector, case: str) -> None:
    message = j1.send(letter(case, s1))
    pushed = j1.push()
    assert [one.what for one in pushed.settled] == ["case", "consent", "status", "message"]
    assert (pushed.refused, pushed.waiting) == ((), 0)
    assert state_of(j1, message) == "accepted"
    with j1.casebook.transaction() as connection:
        (kept,) = statements.consents_of(connection, case)
        (row,) = connection.execute(sa.select(tables.referrals)).all()
    assert kept.registered_at is not None
    assert (row.state, row.recipient) == ("requested", s1.agency)


def test_while_the_hub_is_away_everything_waits(j1: Connector, s1: Connector, case: str, network: Network) -> None:
    j1.send(letter(case, s1))
    network.hub.away = True
    pushed = j1.push()
    assert (pushed.hub_away, pushed.waiting, pushed.settled) == (True, 4, ())
    network.hub.away = False
    assert len(j1.push().settled) == 4


@pytest.mark.parametrize("after", [False, True], ids=["before the hub heard it", "after the hub had acted"])
@pytest.mark.parametrize("call", ["open_case", "register_consent", "renew_status", "open_referral"])
def test_a_line_that_breaks_loses_nothing_and_doubles_nothing(
    j1: Connector, s1: Connector, case: str, network: Network, call: str, after: bool
) -> None:
    message = j1.send(letter(case, s1))
    assert broken(j1, network, call, after=after).push().hub_away
    assert not j1.push().hub_away
    assert waiting(j1) == []
    assert state_of(j1, message) == "accepted"
    assert (len(network.hub.consents), len(network.hub.messages), len(network.hub.referrals)) == (1, 1, 1)


def test_a_reply_goes_into_its_thread_with_the_next_number(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    first = j1.send(letter(case, s1))
    j1.push()
    (referral,) = network.hub.referrals
    for _ in range(2):
        j1.send(letter(case, s1, referral=referral, thread=first, kind=MessageKind.REPLY))
    assert j1.push().refused == ()
    assert [one.seq for one in network.hub.messages.values()] == [1, 2, 3]


def test_a_refused_message_frees_its_number_for_the_next(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    first = j1.send(letter(case, s1))
    j1.push()
    (referral,) = network.hub.referrals
    second, third = (
        j1.send(letter(case, s1, text(body=str(n)), referral=referral, thread=first, kind=MessageKind.REPLY))
        for n in (2, 3)
    )
    # the second rests on a consent that the hub does not know: its evidence is refused
    (kept,) = network.hub.consents.values()
    shown = kept.shown
    kept.shown = replace(shown, hash="00" * 32)
    (one,) = [j1_pushed_once(j1)]
    assert (one.about, one.code) == (second, "consent-mismatch")
    kept.shown = shown
    assert [settled.code for settled in j1.push().settled] == [None]
    assert state_of(j1, second) == "refused"
    assert state_of(j1, third) == "accepted"
    assert max(one.seq for one in network.hub.messages.values()) == 2


def j1_pushed_once(connector: Connector) -> outbound.Settled:
    """Send the first row only."""
    row, body = outbound._next(connector)
    assert row is not None
    settled = outbound._send(connector, row, body)
    assert settled is not None
    return settled


def test_a_refusal_by_consent_comes_back_with_its_decisions(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    message = j1.send(letter(case, s1))
    (first, *_) = [row for row in waiting(j1) if row[0] == "consent"]
    for _ in range(3):
        j1_pushed_once(j1)
    Seat(network.hub, j1.agency).withdraw(first[1])
    pushed = j1.push()
    (one,) = pushed.refused
    assert (one.what, one.about, one.code) == ("message", message, "consent-refused")
    assert [(part.category, part.reason) for part in one.decisions] == [("identity", "WITHDRAWN")]
    assert state_of(j1, message) == "refused"


def test_a_consent_that_the_hub_refuses_permits_nothing_here(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    j1_pushed_once(j1)
    known = network.hub.cases[case]
    network.hub.cases[case] = replace(known, closed_at=network.clock())
    pushed = j1.push()
    assert [(one.what, one.code) for one in pushed.refused] == [("consent", "case-closed"), ("status", "not-found")]
    with j1.casebook.transaction() as connection:
        assert statements.consents_of(connection, case) == []


@pytest.mark.parametrize("status", [401, 408, 429, 500])
def test_trouble_that_is_not_about_what_was_sent_settles_nothing(
    j1: Connector, case: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(*_: object, **__: object) -> None:
        raise problem_of(status, {"code": "internal"})

    monkeypatch.setattr(j1.hub, "open_case", trouble)
    with pytest.raises(ProblemError):
        j1.push()
    assert len(waiting(j1)) == 3


def test_a_message_without_the_hubs_signed_word_goes_on_waiting(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    j1.send(letter(case, s1))
    j1.fetch_directory()
    network.hub.receipt_key = generate(KeyUse.SIG)
    with refused("hub-keys-changed"):
        j1.push()
    assert [what for what, _ in waiting(j1)] == ["message"]


def test_a_message_that_waited_over_a_rotation_is_sealed_anew(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    message = j1.send(letter(case, s1))
    s1.rotate_key(KeyUse.ENC, PASSPHRASE)
    network.clock.on(days=2)
    j1.renew_statuses()
    pushed = j1.push()
    assert pushed.refused == ()
    assert state_of(j1, message) == "accepted"
    (one,) = s1.sync().collected
    assert one.outcome == "opened"
    (part,) = s1.read(message, j1.agency, staff=STAFF)
    assert part.body.decode() == NAME


def test_a_message_to_a_key_that_the_hub_calls_old_without_a_new_one_is_refused(
    j1: Connector, s1: Connector, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = j1.send(letter(case, s1))

    def old(*_: object, **__: object) -> None:
        raise problem_of(409, {"code": "key-not-current"})

    monkeypatch.setattr(j1.hub, "open_referral", old)
    assert [(one.about, one.code) for one in j1.push().refused] == [(message, "key-not-current")]


# ── straight to the hub ──


def test_a_rehearsal_lets_the_hub_itself_refuse(j1: Connector, s1: Connector, network: Network) -> None:
    case = open_case(j1)
    j1.push()
    with pytest.raises(ConsentRefusedError) as caught:
        j1.submit(letter(case, s1))
    assert [one.reason for one in caught.value.decisions] == ["NO_CONSENT"]
    consent(j1, case, s1.agency)
    j1.push()
    opened = j1.submit(letter(case, s1))
    assert opened.thread in {one.message for one in network.hub.messages.values()}


def test_a_rehearsal_goes_on_in_the_thread_that_it_opened(
    j1: Connector, s1: Connector, case: str, network: Network
) -> None:
    j1.push()
    opened = j1.submit(letter(case, s1))
    j1.submit(letter(case, s1, referral=opened.id, thread=opened.thread))
    assert [one.seq for one in network.hub.messages.values()] == [1, 2]


# ── the log ──


def test_what_was_sent_is_kept_with_the_proof_that_it_was_logged(j1: Connector, s1: Connector, case: str) -> None:
    j1.send(letter(case, s1))
    j1.push()
    assert outbound.prove_sent(j1) == ()
    with j1.casebook.transaction() as connection:
        assert compose.unproved(connection, j1.agency) == []
        (row,) = connection.execute(sa.select(tables.messages)).all()
    assert "message:accepted" in row.log_entry
    assert row.log_proof.startswith("c2sp.org/tlog-proof@v1")


def test_a_promise_that_the_hub_does_not_keep_is_told(
    j1: Connector, s1: Connector, case: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = j1.send(letter(case, s1))
    j1.push()
    monkeypatch.setattr(network.hub.log, "find", lambda *_: None)
    assert outbound.prove_sent(j1) == ()
    network.clock.on(minutes=2)
    assert outbound.prove_sent(j1) == (message,)


def test_who_sent_what_stands_in_the_access_log(j1: Connector, s1: Connector, case: str) -> None:
    message = j1.send(letter(case, s1), staff=STAFF)
    with j1.casebook.transaction() as connection:
        line = connection.execute(
            sa.select(tables.access_log).where(tables.access_log.c.action == "message:sealed")
        ).one()
    assert (line.staff, line.about, line.case) == (STAFF, message, case)
