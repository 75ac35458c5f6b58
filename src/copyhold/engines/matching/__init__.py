"""Content matching: indexes of a version, column and row alignment of a foreign table against it."""
