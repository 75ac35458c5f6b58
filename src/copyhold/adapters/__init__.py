"""The outside world, one file per make."""
