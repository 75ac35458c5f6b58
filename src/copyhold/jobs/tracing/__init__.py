"""Trace a leak: read it without keys, charge the attempt, score, name or not, and keep the case."""
