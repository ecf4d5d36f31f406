"""How the gradebook's tables came to be, step by step; Alembic runs them in order."""
