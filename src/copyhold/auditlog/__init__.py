"""The append-only Merkle log: entries, tree, tiles, checkpoints, proofs; verifiable with nothing else installed."""
