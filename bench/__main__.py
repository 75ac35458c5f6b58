"""Run every bench, one after another, each in a process of its own, and write the page of the evidence.

Benches that write trials go on where they stopped; the whole takes hours on two cores. One alone: `python -m
bench.NAME`.
"""

import subprocess
import sys

BENCHES = (
    "code_length",
    "release_speed",
    "trace_speed",
    "science",
    "narrowing",
    "innocence",
    "trace_power",
    "trace_page",
)


def main() -> int:
    """Run them; the first that fails ends it."""
    for name in BENCHES:
        print(f"bench.{name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"])
        if done.returncode:
            print(f"bench.{name} failed; mend it and run `make bench` again.", file=sys.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
