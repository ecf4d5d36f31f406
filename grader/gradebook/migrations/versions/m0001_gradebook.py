"""The gradebook: submissions, attempts, observations, grades and marks by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    _what_was_handed_in()
    _what_it_is_worth()


def _what_was_handed_in() -> None:
    op.create_table(
        "basis",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("parts", sa.Text, nullable=False),
    )
    op.create_table(
        "submission",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("files", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.Text, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("submission", sa.String(64), sa.ForeignKey("submission.digest"), nullable=False),
        sa.Column("submitted_at", sa.String(40)),
        sa.Column("seen_at", sa.String(40), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
    )
    op.create_index("ix_attempt_whose", "attempt", ["assignment", "student", "id"])


def _what_it_is_worth() -> None:
    op.create_table(
        "observation",
        sa.Column("run_key", sa.String(64), primary_key=True),
        sa.Column("assignment", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.Column("seen", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_observation_assignment", "observation", ["assignment"])
    op.create_table(
        "grade",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.Text, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("submission", sa.String(64), sa.ForeignKey("submission.digest"), nullable=False),
        sa.Column("run_key", sa.String(64), nullable=False),
        sa.Column("score_key", sa.String(64), nullable=False),
        sa.Column("basis", sa.String(64), sa.ForeignKey("basis.key"), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("earned", sa.String(80)),
        sa.Column("possible", sa.String(80), nullable=False),
        sa.Column("pending", sa.String(80), nullable=False),
        sa.Column("criteria", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
    )
    op.create_index("ix_grade_whose", "grade", ["assignment", "student", "submission", "id"])
    op.create_table(
        "mark",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.Text, nullable=False),
        sa.Column("student", sa.Text, nullable=False),
        sa.Column("criterion", sa.Text, nullable=False),
        sa.Column("points", sa.String(80)),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
    )
    op.create_index("ix_mark_whose", "mark", ["assignment", "student", "criterion", "id"])
