"""Cases, their events, and the books that they are counted in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of cases."""
    op.create_table(
        "casefile",
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
    )
    op.create_index("casefile_newest", "casefile", ["updated_at", "id"])
    op.create_index("casefile_holder", "casefile", ["workspace", "holder"])
    op.create_table(
        "case_event",
        sa.Column(
            "case_id",
            sa.Text,
            sa.ForeignKey("casefile.id", name="case_event_case"),
            primary_key=True,
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
    op.create_table(
        "book",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("opening", sa.BigInteger),
        sa.CheckConstraint("opening >= 0", name="book_opening"),
    )
    op.create_table(
        "customer",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, primary_key=True),
        sa.Column("grp", sa.Text, nullable=False),
    )
