"""What an institution must look like."""

import re

from copyhold.domain.errors import InvalidInputError

# A ROR id is 0, six letters of Crockford's base 32, and two check digits: https://ror.readme.io/docs/identifier
# The check digits are not held against the letters: a custodian may give institutions without a ROR id one of its own.
ROR = re.compile(r"0[0-9a-hj-km-np-tv-z]{6}[0-9]{2}")


def ror_or_nothing(told: str) -> str:
    """Read a ROR id, bare or as an address, as its nine letters; nothing stays nothing."""
    bare = told.strip().casefold().removeprefix("https://").removeprefix("ror.org/")
    if bare and not ROR.fullmatch(bare):
        raise InvalidInputError("The ROR id is not one; it looks like https://ror.org/05a28rw58.")
    return bare
