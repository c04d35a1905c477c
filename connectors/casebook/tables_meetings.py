# SPDX-License-Identifier: Apache-2.0
"""Tables of meetings, of the register of missing resources and of support decisions: all that is said stays here.

The hub knows a meeting's kind, its member agencies and codes. Names, places, plans and minutes are in these tables.
"""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

meetings = sa.Table(
    "meetings",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="ours; the hub gives its own once it has taken the meeting"),
    sa.Column("hub_id", sa.String, unique=True, comment="none while the convening waits for the hub"),
    sa.Column(
        "kind", sa.String, nullable=False, comment="never changes: one kind rests on consent, the other does not"
    ),
    sa.Column("held_at", UtcText, nullable=False, index=True),
    sa.Column("until", UtcText, nullable=False, comment="what a conference permits ends then"),
    sa.Column("place", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False, comment="in words, for the invitation"),
    sa.Column("ended_at", UtcText),
    sa.Column("convened_at", UtcText, nullable=False),
    sa.Column("convened_by", sa.String, nullable=False),
)

meeting_members = sa.Table(
    "meeting_members",
    metadata,
    sa.Column("meeting", sa.ForeignKey("meetings.id"), primary_key=True),
    sa.Column("agency", sa.String, primary_key=True),
    sa.Column("person", sa.String, nullable=False, comment="who comes, as it was written"),
    sa.Column("attended", sa.Boolean, comment="none before it was held"),
)

meeting_lines = sa.Table(
    "meeting_lines",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("meeting", sa.ForeignKey("meetings.id"), nullable=False, index=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("categories", sa.JSON, nullable=False, comment="what of the case is to be on the table"),
    sa.Column("document", sa.JSON, nullable=False, comment="checks, decision, next date, indicator, minutes"),
    sa.Column("decided_at", UtcText),
    sa.UniqueConstraint("meeting", "case"),
)

meeting_papers = sa.Table(
    "meeting_papers",
    metadata,
    sa.Column("message", sa.String, primary_key=True, comment="the sealed message"),
    sa.Column("line", sa.ForeignKey("meeting_lines.id"), nullable=False, index=True),
    sa.Column("agency", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False, comment="agenda or minutes"),
    sa.Column("digest", sa.String, nullable=False, comment="of what was sealed: the same is not sent twice"),
    sa.Column("key", sa.String, nullable=False, comment="its row in the outbox"),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False),
)

hub_meetings = sa.Table(
    "hub_meetings",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("convenor", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.JSON, nullable=False, comment="as the hub showed it last"),
    comment="a mirror: the hub's word alone changes a row",
)

secrecy = sa.Table(
    "secrecy",
    metadata,
    sa.Column("meeting", sa.String, primary_key=True, comment="a conference, by the hub's id"),
    sa.Column("staff", sa.String, nullable=False, comment="who read the note and accepted it for this agency"),
    sa.Column("note", sa.String, nullable=False, comment="the version of the note"),
    sa.Column("at", UtcText, nullable=False),
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("document", sa.JSON, nullable=False, comment="what is missing, where, who cares, what comes next"),
    sa.Column("next_on", sa.Date, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", UtcText, nullable=False),
    sa.Column("changed_at", UtcText, nullable=False),
)

resource_changes = sa.Table(
    "resource_changes",
    metadata,
    sa.Column("resource", sa.ForeignKey("resources.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("document", sa.JSON, nullable=False, comment="the entry as it stood then"),
    sa.Column("at", UtcText, nullable=False),
)

resource_sources = sa.Table(
    "resource_sources",
    metadata,
    sa.Column("about", sa.String, primary_key=True, comment="a declined referral, or a line of an agenda"),
    sa.Column("what", sa.String, nullable=False, comment="decline or meeting"),
    sa.Column("resource", sa.ForeignKey("resources.id"), index=True, comment="none: looked at, nothing is missing"),
    sa.Column("staff", sa.String, nullable=False),
    sa.Column("at", UtcText, nullable=False),
)

support_decisions = sa.Table(
    "support_decisions",
    metadata,
    sa.Column(
        "referral", sa.String, primary_key=True, comment="the meeting's thread in which the municipality was asked"
    ),
    sa.Column("line", sa.String, primary_key=True, comment="the line of the agenda, as the minutes name it"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("message", sa.String, nullable=False, comment="the sealed answer"),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("document", sa.JSON, nullable=False, comment="services, term, conditions, who decided"),
    sa.Column("decided_at", UtcText, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False),
)
