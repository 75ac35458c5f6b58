"""What is allowed: pure functions that answer with a Verdict."""
