"""Agreements: whether a purpose fits a dataset's terms, and what a signed contract allows and asks."""
