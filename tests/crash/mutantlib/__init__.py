"""Seeded bugs: the table, how one is built, what has to find it."""
