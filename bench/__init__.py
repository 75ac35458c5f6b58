"""Speed, memory and power of the evidence, each beside a floor or a peer in the same run; never a timed test."""
