"""Domain values in the forms that every door sends: JSON, sentences, pages of a report."""
