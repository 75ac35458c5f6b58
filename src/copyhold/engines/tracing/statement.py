"""The words in which evidence is stated: what the bound says, what it does not, and what it assumes.

Source: tracing design, section 6. The texts are fixed, because a court reads them and each clause carries a condition
of the theorem; only the bound p and the number T of logged traces vary.
"""

from scipy.special import betaincinv

from copyhold.domain.errors import InvalidInputError
from copyhold.domain.words import rounded_up

BY_IDS_ALONE = "identifier evidence: ids can be copied by anyone who saw them"
BY_MARKS = "evidence from the marks of a copy"

STATEMENT = (
    "Take all parties who had no part in this file: neither their copies, nor results or figures computed from their "
    "copies, nor their keys or anything disclosed about their marks, reached its maker. Over the random drawing of the "
    "keys, made before release, the chance that the traces of this custody, all {attempts} logged so far, would ever "
    "name any of them on evidence this strong is at most {p}, whatever was done to the data and whether or not rows "
    "and columns were matched correctly. This is not the probability that the named party is innocent. The evidence "
    "cannot tell the party from anyone who obtained one of its copies, results detailed enough to rebuild its marks, "
    "or the keys."
)

ASSUMPTIONS = (
    "The keys are secret and were drawn uniformly.",
    "AES is a pseudo-random function.",
    "The plan, the versions and the register were committed to before the first release.",
    "Every cell was read once.",
    "Which cells a party held comes from the register only.",
    "Nothing that depends on a key entered before the score.",
    "R counts all keys ever issued, those of institutions and of internal copies included.",
    "Every attempt was charged.",
    "No score of a party that is not named was seen.",
)

BITS_NOT_PROVED = "bits not yet proved"


def statement(p: float, attempts: int) -> str:
    """Return the statement of a finding with bound p after `attempts` logged traces."""
    return STATEMENT.format(attempts=attempts, p=rounded_up(p))


def upper_limit(errors: int, trials: int) -> float:
    """Return the 95 % upper limit of an error rate seen in blind tests; 1 where there were none.

    Source: Clopper and Pearson 1934: the rate at which `errors` or fewer of `trials` have probability 0.05.
    """
    if not 0 <= errors <= trials:
        raise InvalidInputError("Blind tests have no more errors than trials.")
    return 1.0 if errors == trials else float(betaincinv(errors + 1, trials - errors, 0.95))
