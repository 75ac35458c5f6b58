"""The append-only Merkle log: entries, tree, tiles, checkpoints, proofs; verifiable with nothing else installed.

Rows come first: an entry is a database row, written in the transaction of the act it tells. What this package
writes is derived from those rows and can be rebuilt from them. The format is C2SP tlog-tiles, so that
outsiders check it with tools that are not ours. The modules, from the ground up:

* encoding       base64 and JSON with exactly one spelling
* tree           RFC 6962 hashing, the right edge, inclusion and consistency proofs
* tiles          the tree and its entries cut into files of 256
* notes          signed notes and the keys that verify them
* checkpoints    what a log signs: origin, size, root
* entries        the public leaf, its commitment, the sealed payload
* files          the log's directory: durable writing, reading, plain copies
* proofs         one entry's proof as a text file that stands alone
* publishing     rows to tiles to a signed checkpoint, safe against a crash at any step
* verification   the whole log checked from its entries alone
"""
