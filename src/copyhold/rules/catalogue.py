"""When a dataset may grow a version, who confirms it, and what its tier asks of every release."""

import hashlib
import hmac
import json
from collections.abc import Iterable

from copyhold.domain.catalogue import Control, Dictionary, Tier, Version
from copyhold.domain.parties import PersonId
from copyhold.domain.purposes import Term
from copyhold.domain.verdicts import Reason, Verdict
from copyhold.domain.words import Secret, plain

TOKEN_BYTES = 16
MOST_TABLES = 2**16 - 1  # a table's number has 16 bits in the address of a mark

# A tier is a named set of controls; each higher one asks for more.
TIERS: dict[Tier, tuple[Control, ...]] = {
    Tier.LOW: (),
    Tier.MODERATE: (Control.POWER_OR_WAIVER,),
    Tier.HIGH: (Control.POWER_OR_WAIVER, Control.FIELDS_NAMED),
    Tier.HIGHEST: (Control.POWER_OR_WAIVER, Control.FIELDS_NAMED, Control.COHORT_NAMED, Control.SEALED_ONLY),
}
UNCONFIRMED = TIERS[Tier.MODERATE]  # what holds where nobody had to confirm a tier


def participant_token(key: Secret, participant: str) -> bytes:
    """Name a participant so that the name says nothing without the key: HMAC-SHA256, its first 16 bytes.

    `key` is derived for ("participant", custody, dataset); `participant` is the id as text, as the master writes it.
    """
    return hmac.digest(key.reveal(), participant.strip().encode(), hashlib.sha256)[:TOKEN_BYTES]


def may_add(dictionary: Dictionary, *, accept_suggested: bool) -> Verdict:
    """Say whether a dictionary may become a version's: somebody has accepted every guess in it."""
    reasons = []
    if dictionary.guesses and not accept_suggested:
        names = ", ".join(field.name for field in dictionary.guesses[:5])
        more = len(dictionary.guesses) - 5
        told = f"{names} and {more} more" if more > 0 else names
        reason = f"Nobody has accepted what was guessed about {told}."
        fix = "Check these lines of the dictionary and empty their `guess`, or accept all with --accept-suggested."
        reasons.append(Reason("GUESSES_NOT_ACCEPTED", reason, fix))
    if not dictionary.fields:
        reasons.append(Reason("NO_FIELDS", "The dictionary has no field.", "Describe each column in a line."))
    if len(dictionary.tables) > MOST_TABLES:
        reasons.append(Reason("TOO_MANY_TABLES", "The dataset has too many tables.", "Make several datasets of it."))
    return Verdict(tuple(reasons))


def may_confirm(version: Version, person: PersonId, *, four_eyes: bool) -> Verdict:
    """Say whether this person may confirm a version's classification: with four eyes, not who added it."""
    if four_eyes and person == version.added_by:
        reason = "Whoever added a version does not confirm it."
        return Verdict((Reason("SAME_PERSON", reason, "Have another custodian confirm it."),))
    return Verdict()


def controls(version: Version) -> tuple[Control, ...]:
    """What the version's tier asks of every release of it."""
    return UNCONFIRMED if version.tier is None else TIERS[version.tier]


def classification(dictionary: Dictionary, terms: Iterable[Term]) -> str:
    """Hash what a second person confirms: fields, roles, tolerances, terms. The same again needs none anew."""
    told = json.dumps([plain(dictionary), plain(tuple(terms))], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
