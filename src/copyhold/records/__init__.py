"""What is remembered: rows, migrations, and functions that give back domain values."""
