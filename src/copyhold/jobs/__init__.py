"""What takes long: work on tables, begun and ended by an action; never touches the database."""
