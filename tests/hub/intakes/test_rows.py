# SPDX-License-Identifier: Apache-2.0
"""The database's own last word: which rows exist for whom, and what nobody may change (security README §2)."""

import pytest
import sqlalchemy as sa

from hub.cases import tables as case_tables
from hub.intakes import tables as intake_tables
from hub.meetings import tables as meeting_tables
from tests.hub.casework import DAY, exclusion, opened_case, present, registered, status

TABLES = [
    each
    for module in (case_tables, intake_tables, meeting_tables)
    for each in vars(module).values()
    if isinstance(each, sa.Table)
]


@pytest.fixture
def story(client, database, intake, council, lawyers):
    """A case with a consent each for council and lawyers, everything that can hang on it, and a meeting."""
    case = opened_case(client, intake)
    by = client.by(intake.id)
    for partner in (council, lawyers):
        known = registered(client, intake, case, partner.id)
        token = status(intake, case, known, present())
        assert by.say(f"/v1/consents/{known['id']}/status", {"record": token}).status_code == 200
        token = exclusion(intake, case, partner.id)
        assert by.say(f"/v1/cases/{case}/exclusions", {"record": token}).status_code == 201
        assert by.say(f"/v1/consents/{known['id']}/withdraw").status_code == 200
    assert by.say(f"/v1/cases/{case}/notes", {"kind": "evaluation"}).status_code == 201
    until = (present() + DAY).isoformat().replace("+00:00", "Z")
    meeting = {"kind": "shien_chosei_kaigi", "members": [council.id], "until": until, "case": case}
    made = by.say("/v1/meetings", meeting).get_json()
    assert client.by(council.id).say(f"/v1/meetings/{made['id']}/accept").status_code == 200
    assert by.say(f"/v1/meetings/{made['id']}/agenda", {"code": "plan"}).status_code == 201
    return case


def counted(database, agency):
    with database.transaction(agency) as session:
        return {table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) for table in TABLES}


def test_each_agency_sees_exactly_its_rows(database, intake, council, lawyers, stranger, story):
    everything = dict.fromkeys((table.name for table in TABLES), 1)
    twice = ("case_parties", "consents", "withdrawals", "exclusions", "consent_statuses")
    assert counted(database, intake.id) == everything | dict.fromkeys(twice, 2)
    hidden = {"case_steps": 0, "case_notes": 0, "consent_gates": 0}
    assert counted(database, council.id) == everything | hidden
    no_meeting = {"meetings": 0, "meeting_acceptances": 0, "meeting_items": 0}
    assert counted(database, lawyers.id) == everything | hidden | no_meeting
    assert counted(database, stranger.id) == dict.fromkeys(everything, 0)


def test_without_an_agency_no_row_exists(database, story):
    assert set(counted(database, None).values()) == {0}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_nothing_is_deleted(database, intake, story, table):
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), database.transaction(intake.id) as session:
        session.execute(sa.delete(table))


CHANGEABLE = {
    "cases": {"step", "state", "version", "moved_at", "closed_at"},
    "consent_gates": {"version"},
    "consents": {"superseded_at"},
    "withdrawals": {"record"},
    "exclusions": {"revoked_at", "revocation"},
    "consent_statuses": {"record", "record_hash", "as_of", "next_by"},
    "meetings": {"ended_at", "version"},
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_only_the_listed_columns_ever_change(database, intake, story, table):
    for column in table.columns:
        if column.name in CHANGEABLE.get(table.name, set()):
            continue
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            database.transaction(intake.id) as session,
        ):
            session.execute(sa.update(table).values({column: column}))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (case_tables.cases, {"version": 9}),
        (intake_tables.consents, {"superseded_at": present()}),
        (intake_tables.withdrawals, {"record": "forged"}),
        (intake_tables.exclusions, {"revocation": "forged"}),
        (intake_tables.consent_statuses, {"record": "forged"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_partner_changes_no_row_that_it_sees(database, council, story, table, values):
    with database.transaction(council.id) as session:
        assert session.execute(sa.update(table).values(**values)).rowcount == 0


def test_nobody_opens_a_case_in_another_agencys_name(database, intake, stranger):
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        database.transaction(stranger.id) as session,
    ):
        session.execute(
            sa.insert(case_tables.cases).values(
                id="0191d1f0-0000-7000-8000-000000000001",
                handle="3f0c6f2e-7b1a-4c4d-9e5f-0a1b2c3d4e5f",
                owner=intake.id,
                step="1",
                state="found",
                version=1,
                opened_at=present(),
                moved_at=present(),
            )
        )


def test_nobody_writes_itself_into_a_strangers_case(database, client, intake, stranger, story):
    case = client.by(intake.id).get(f"/v1/cases/{story}").get_json()
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        database.transaction(stranger.id) as session,
    ):
        session.execute(
            sa.insert(case_tables.case_parties).values(
                case_id=case["id"], agency=stranger.id, owner=intake.id, named_at=present()
            )
        )


def test_the_worker_sees_every_row(jobs_database, story):
    assert all(count > 0 for count in counted(jobs_database, None).values())
