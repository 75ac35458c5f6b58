"""What can be done: one function is one permission check, one transaction, one audit entry."""
