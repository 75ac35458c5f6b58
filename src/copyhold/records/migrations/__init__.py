"""The one history of the rows' form."""
