"""Keyed changes inside tolerance: plan, embedding, ids, dates, commitments, utility, power."""
