# SPDX-License-Identifier: Apache-2.0
"""Imports: each file that was taken in row by row, what each row became, and what is needed to take it back."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("staff", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True, comment="mapping, checking, ready, adding, done, …"),
    sa.Column("kind", sa.String, nullable=False, comment="as what the file was declared"),
    sa.Column("file_name", sa.String, nullable=False, comment="cleaned, for showing"),
    sa.Column("header", sa.JSON, nullable=False, comment="the cells of the header"),
    sa.Column("columns", sa.JSON, nullable=False, comment="a code per place; empty: not taken in"),
    sa.Column("worker", sa.String, nullable=False, comment="who is in charge where a row does not say"),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("begun_at", UtcText, nullable=False),
    sa.Column("changed_at", UtcText, nullable=False),
)

import_rows = sa.Table(
    "import_rows",
    metadata,
    sa.Column("job", sa.ForeignKey("imports.id"), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, comment="its number in the file"),
    sa.Column("cells", sa.JSON, nullable=False, comment="as they are in the file"),
    sa.Column("odd", sa.JSON, nullable=False, comment="cells that are no text, by their place"),
    sa.Column("state", sa.String, nullable=False, comment="read, new, alike, faulty, known, repeated"),
    sa.Column("digest", sa.String, index=True, comment="of what it says, whatever the order of the columns"),
    sa.Column("found_by", sa.JSON, comment="what it is found by: name, reading, day of birth, telephones"),
    sa.Column("number", sa.String, comment="the case number it brings along"),
    sa.Column("faults", sa.JSON, comment="[column, key of the sentence, its places]"),
    sa.Column("looks_like", sa.String, comment="a person who is here already, or #n: a row above"),
    sa.Column("choice", sa.String, comment="add, same, other, leave"),
    sa.Column("outcome", sa.String, comment="added, filled, left, kept, undone; none while it is to be done"),
    sa.Column("person", sa.String, index=True),
    sa.Column("case", sa.String, comment="that was opened for it"),
    sa.Column("entry", sa.String, comment="of the journal"),
    sa.Column("before", sa.JSON, comment="what was known of the person whose gaps it filled"),
    sa.Column("log_to", sa.Integer, comment="the access log's last line when it was added"),
)

sa.Index("import_rows_state", import_rows.c.job, import_rows.c.state, import_rows.c.n)
sa.Index("import_rows_outcome", import_rows.c.job, import_rows.c.outcome, import_rows.c.n)
