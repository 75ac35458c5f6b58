"""Read a leak: what it shows of the master and of the plan's cells; no module here reaches a party's key."""
