# SPDX-License-Identifier: Apache-2.0
"""Tables of the agency's own files: what the paper form says of a person, case numbers, who is in charge, scans, plans.

All of it stays here. New needs get new tables: a casebook that is in use is never altered, only added to.
"""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

person_records = sa.Table(
    "person_records",
    metadata,
    sa.Column("person", sa.ForeignKey("persons.id"), primary_key=True),
    sa.Column("born_on", sa.Date, index=True, comment="none where it was not told"),
    sa.Column("phone_key", sa.String, index=True, comment="digits only, for finding"),
    sa.Column("document", sa.JSON, nullable=False, comment="the form's fields, as they were written"),
    sa.Column("updated_at", UtcText, nullable=False),
    sa.Column("updated_by", sa.String, nullable=False),
)

case_files = sa.Table(
    "case_files",
    metadata,
    sa.Column("case", sa.ForeignKey("cases.handle"), primary_key=True),
    sa.Column("number", sa.String, nullable=False, unique=True, comment="as people say it: year of the era and number"),
    sa.Column("worker", sa.String, index=True, comment="the staff id of whoever is in charge"),
    sa.Column("team", sa.String, nullable=False, default=""),
    sa.Column("caution", sa.String, nullable=False, default="", comment="how the person may be reached"),
    sa.Column("opened_on", sa.Date, nullable=False),
    sa.Column("updated_at", UtcText, nullable=False),
    sa.Column("updated_by", sa.String, nullable=False),
)

quiet_cases = sa.Table(
    "quiet_cases",
    metadata,
    sa.Column("case", sa.ForeignKey("cases.handle"), primary_key=True, comment="the hub has not been told of it yet"),
)

case_numbers = sa.Table(
    "case_numbers",
    metadata,
    sa.Column("year", sa.Integer, primary_key=True, comment="the fiscal year, which begins in April"),
    sa.Column("last", sa.Integer, nullable=False),
)

referral_files = sa.Table(
    "referral_files",
    metadata,
    sa.Column("thread", sa.String, primary_key=True, comment="the id of the thread's first message"),
    sa.Column("opener", sa.String, primary_key=True, comment="whose id that is"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("number", sa.String, nullable=False, unique=True, comment="as people say it"),
    sa.Column("worker", sa.String, index=True, comment="the staff id of whoever looks after it here"),
    sa.Column("document", sa.JSON, nullable=False, comment="title, wished date, what was said to the person"),
    sa.Column("created_at", UtcText, nullable=False),
)

scans = sa.Table(
    "scans",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("form", sa.String, index=True, comment="the signed form it belongs to; none for other papers"),
    sa.Column("media", sa.String, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("added_at", UtcText, nullable=False),
    sa.Column("added_by", sa.String, nullable=False),
)

scope_templates = sa.Table(
    "scope_templates",
    metadata,
    sa.Column("name", sa.String, primary_key=True, comment="id and version, as a consent names it"),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("added_at", UtcText, nullable=False),
    sa.Column("added_by", sa.String, nullable=False),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("referral", sa.String, index=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False, comment="call, visit, note, told: what was done"),
    sa.Column("channel", sa.String),
    sa.Column("text", sa.String, nullable=False, comment="as it was written"),
)

outings = sa.Table(
    "outings",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("referral", sa.String, nullable=False, index=True),
    sa.Column("n", sa.Integer, comment="the accompaniment's number at the hub; none while it waits"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("staff", sa.String, nullable=False, index=True),
    sa.Column("begins_at", UtcText, nullable=False, index=True),
    sa.Column("arrived_at", UtcText),
    sa.Column("ended_at", UtcText),
    sa.Column("document", sa.JSON, nullable=False, comment="place, counter, what to bring, narrative"),
)

escalations = sa.Table(
    "escalations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False),
    sa.Column("referral", sa.String, nullable=False),
    sa.Column("outing", sa.String, nullable=False, comment="where somebody was turned away; the words are there"),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("seen_at", UtcText, index=True),
    sa.Column("seen_by", sa.String),
)

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False, comment="referral, intake: which pages go on with it"),
    sa.Column("case", sa.String, index=True),
    sa.Column("staff", sa.String, nullable=False, index=True),
    sa.Column("document", sa.JSON, nullable=False, comment="what was filled in so far, by field"),
    sa.Column("created_at", UtcText, nullable=False),
    sa.Column("saved_at", UtcText, nullable=False),
)

draft_files = sa.Table(
    "draft_files",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("draft", sa.ForeignKey("drafts.id"), nullable=False, index=True),
    sa.Column("field", sa.String, nullable=False, comment="what it is for: a category, the signature"),
    sa.Column("name", sa.String, nullable=False, comment="as the person's computer calls it"),
    sa.Column("media", sa.String, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("added_at", UtcText, nullable=False),
)

snoozes = sa.Table(
    "snoozes",
    metadata,
    sa.Column("about", sa.String, primary_key=True, comment="the row of the board that was put off"),
    sa.Column("until", UtcText, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("at", UtcText, nullable=False),
)

emergencies = sa.Table(
    "emergencies",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, comment="asked, approved, turned_down, sent, lapsed"),
    sa.Column("document", sa.JSON, nullable=False, comment="recipient, purpose, parts, threat, difficulty, reasons"),
    sa.Column("asked_by", sa.String, nullable=False),
    sa.Column("asked_at", UtcText, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("decided_at", UtcText),
    sa.Column("message", sa.String, comment="the message that was sent"),
    sa.Column("told_at", UtcText, comment="when the person was told"),
)
