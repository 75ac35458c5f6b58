"""Copies in the words that scripts rely on."""

from copyhold.actions.releases import Shown
from copyhold.domain.releases import State
from copyhold.domain.words import Plain, plain


def made(shown: Shown) -> dict[str, Plain]:
    """Tell of a copy asked for: what is found out only when it is made is empty or null before."""
    copy = shown.release
    return {
        "release": str(copy.id),
        "state": copy.state.value,
        "party": str(copy.party),
        "project": shown.project,
        "institution": shown.institution,
        "dataset": shown.dataset,
        "version": copy.version_number,
        "rows": copy.rows,
        "fields": plain(copy.released_fields),
        "path": copy.path,
        "sha256": copy.sha256,
        "class": plain(copy.traceability),
        "rows_needed": copy.power,
        "utility": copy.utility,
    }


def sentences(shown: Shown) -> list[str]:
    """Tell the same to a person."""
    copy = shown.release
    if copy.state is State.AWAITING_APPROVAL:
        return [
            f"The copy is asked for as {copy.id} and is awaiting approval by another person.",
            f"They run `copyhold release approve {copy.id}`; then make the copy with the same command as now.",
        ]
    told = copy.traceability.value if copy.traceability else ""
    return [
        f"{copy.id}: {copy.rows} rows of {shown.dataset} version {copy.version_number} for {shown.project} at "
        f"{shown.institution}, {len(copy.released_fields)} fields.",
        f"It is in {copy.path}; its SHA-256 is {copy.sha256}.",
        f"Should it leak, it can be traced by: {told}. {_rows(copy.power)}",
    ]


def record(shown: Shown) -> list[str]:
    """Tell a person what the register says of a copy."""
    copy = shown.release
    when = copy.issued_at or copy.requested_at
    return [
        f"{copy.id} is {copy.state.value} since {(copy.ended_at or when):%Y-%m-%d}.",
        f"Holder: {shown.holder} for {shown.project} at {shown.institution} ({shown.country}).",
        f"Of {shown.dataset} version {copy.version_number}, until {copy.until:%Y-%m-%d}.",
        *(sentences(shown) if copy.issued_at else ()),
    ]


def _rows(power: dict[str, Plain]) -> str:
    unattacked = power.get("none")
    needed = unattacked.get("n95") if isinstance(unattacked, dict) else None
    if needed is None:
        return "No number of leaked rows without ids would name its holder."
    return f"{needed} leaked rows without ids would name its holder in 95 of 100 leaks."
