"""Whose copy a leak came from: evidence under keys, naming, the case file and its check."""
