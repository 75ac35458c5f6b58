"""Real public data for the demonstration, with its notice."""
