"""One module of rows per noun."""
