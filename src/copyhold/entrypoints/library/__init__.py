"""The face for notebooks: a custody as an object, engines as functions."""
