"""What is computed on tables: pure functions that know no database and no clock."""
