"""Where student code runs, and the wire to it."""
