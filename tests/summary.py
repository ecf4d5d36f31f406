"""What tests have to say at the end of a session, besides whether they passed."""

DIAGNOSIS: list[str] = []
"""How many mistakes were caught and named, a line for each kind and assignment."""
