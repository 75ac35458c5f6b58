"""The words: frozen types, ids, states and their moves, errors."""
