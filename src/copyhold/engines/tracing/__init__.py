"""Whose copy a leak came from: reading without keys, scoring, naming, the case file."""
