"""The tables of a team's database, as the latest migration leaves them; nothing is read here."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = sa.MetaData()

SCENARIO = sa.Table(
    "scenario",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("title_folded", sa.Text, nullable=False),
    sa.Column("regime", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
    sa.Index("scenario_newest", "updated_at", "id"),
)

# Stage, end and counts are a copy of what the events of the case come to, moved together with them.
CASEFILE = sa.Table(
    "casefile",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("edition", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("title_folded", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("grp", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Column("opened_on", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("begun_in", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("licensed", sa.BigInteger, nullable=False),
    sa.Column("shipped", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.BigInteger, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("forked_from", sa.Text),
    sa.Column("forked_at", sa.Integer),
    sa.Column("open_key", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("workspace", "open_key", name="casefile_open_key"),
    sa.CheckConstraint(
        "reserved >= 0 AND licensed >= 0 AND shipped >= 0 AND returned >= 0",
        name="casefile_counts",
    ),
    sa.Index("casefile_newest", "updated_at", "id"),
    sa.Index("casefile_holder", "workspace", "holder"),
)

# Rows are only ever added.
CASE_EVENT = sa.Table(
    "case_event",
    TABLES,
    sa.Column(
        "case_id", sa.Text, sa.ForeignKey("casefile.id", name="case_event_case"), primary_key=True
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sent_key", sa.Text),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("supplied", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.Column("licensed", sa.BigInteger, nullable=False),
    sa.Column("shipped", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.BigInteger, nullable=False),
    sa.Column("judged_by", sa.Text, nullable=False),
    sa.Column("sent_at", sa.BigInteger, nullable=False),
    sa.Column("sent_by", sa.Text, nullable=False),
    sa.UniqueConstraint("case_id", "sent_key", name="case_event_key"),
)

# `opening` is empty until an event says it.
BOOK = sa.Table(
    "book",
    TABLES,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("opening", sa.BigInteger),
    sa.CheckConstraint("opening >= 0", name="book_opening"),
)

CUSTOMER = sa.Table(
    "customer",
    TABLES,
    sa.Column("workspace", sa.Text, primary_key=True),
    sa.Column("customer", sa.Text, primary_key=True),
    sa.Column("grp", sa.Text, nullable=False),
)
