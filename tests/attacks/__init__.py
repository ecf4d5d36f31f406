"""The attack suite: what hostile submissions try, that each works somewhere, and who stops it."""
