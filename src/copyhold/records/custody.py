"""The custody as remembered."""

from copyhold.domain.custody import Custody
from copyhold.domain.errors import NotFoundError
from copyhold.domain.words import plain
from copyhold.records import values
from copyhold.records.models import custody as rows


def found(custody: Custody) -> None:
    """Remember a new custody."""
    rows.Custody.objects.create(
        id=custody.id,
        name=custody.name,
        operator_id=custody.operator,
        four_eyes=custody.four_eyes,
        policy=plain(custody.policy),
        founded_at=custody.founded_at,
        country=custody.country,
    )


def founded() -> bool:
    """Whether there is a custody."""
    return rows.Custody.objects.exists()


def get() -> Custody:
    """The custody."""
    custody = values.first(Custody, rows.Custody.objects.all())
    if custody is None:
        raise NotFoundError("This database holds no custody yet; found one first.")
    return custody
