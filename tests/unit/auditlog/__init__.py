"""The log: tree, tiles, notes, proofs, leaves, publishing, verification."""
