"""Agreements: what a signed contract allows and asks, and by which route data pass over a border."""
