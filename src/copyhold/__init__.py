"""Keep every copy of sensitive research data on terms, on the record and traceable."""
