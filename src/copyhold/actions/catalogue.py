"""Datasets, their versions, confirmation, and withdrawals.

Readings:
    next_version(occasion, name, dictionary, *, accept_suggested=False) -> VersionOrder     catalogue:next_version
        what the job needs; Refused (GUESSES_NOT_ACCEPTED) before any long work
    datasets(occasion) -> tuple[Dataset, ...]                                               catalogue:datasets
    show(occasion, name) -> Version                                the newest               catalogue:show
    versions(occasion, name) -> tuple[Version, ...]                oldest first             catalogue:versions
    withdrawals(occasion) -> tuple[Withdrawal, ...]                newest first             catalogue:withdrawals
Acts:
    add_version(occasion, order, result, terms=()) -> Version      catalogue:add_version    catalogue.version_added
        takes the order that next_version gave and the VersionResult of the job; `terms` are DUO terms as written
    confirm(occasion, name, tier="moderate") -> Version            catalogue:confirm        catalogue.version_confirmed
    withdraw(occasion, name, participants, due_on=None) -> Withdrawal
        ids as the master writes them                              catalogue:withdraw       catalogue.withdrawn
"""

from dataclasses import replace
from datetime import date, timedelta

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.catalogue import (
    Dataset,
    DatasetId,
    Dictionary,
    Tier,
    Version,
    VersionId,
    VersionOrder,
    VersionResult,
    Withdrawal,
    WithdrawalId,
)
from copyhold.domain.errors import ConflictError, InvalidInputError, NotFoundError
from copyhold.domain.words import CHANCE_BYTES, text
from copyhold.records import catalogue, custody, projects, releases
from copyhold.rules import catalogue as rules
from copyhold.rules import purposes


@reading("catalogue:next_version")
def next_version(reader: Reader, name: str, dictionary: Dictionary, *, accept_suggested: bool = False) -> VersionOrder:
    """Say what the job needs to make a dataset's first or next version; nothing is changed by it."""
    rules.may_add(dictionary, accept_suggested=accept_suggested).require()
    known = catalogue.dataset_named(text(name, "The dataset's name"))
    dataset = known.id if known else DatasetId.new(reader.at, reader.outside.chance(CHANCE_BYTES))
    previous = catalogue.newest(dataset)
    accepted = tuple(replace(field, guess=False) for field in dictionary.fields)
    founded = custody.get()
    return VersionOrder(
        custody=founded.id,
        dataset=dataset,
        name=known.name if known else text(name, "The dataset's name"),
        number=previous.number + 1 if previous else 1,
        dictionary=Dictionary(accepted),
        accepted_guesses=tuple(field.name for field in dictionary.guesses),
        previous=previous,
        cohorts=projects.cohorts(dataset),
        policy=founded.policy,
    )


@action("catalogue:add_version", "catalogue.version_added")
def add_version(act: Act, order: VersionOrder, result: VersionResult, terms: tuple[str, ...] = ()) -> Version:
    """Add the version that a job made; ConflictError where another was added meanwhile."""
    rules.may_add(result.dictionary, accept_suggested=False).require()
    previous = _still_previous(act, order)
    stated = purposes.terms(terms)
    kept = previous.terms if previous and not stated else stated
    version = Version(
        id=act.new_id(VersionId),
        dataset=order.dataset,
        number=order.number,
        tables=result.tables,
        id_column=result.id_column,
        key_columns=result.key_columns,
        participants=result.participants,
        dictionary=result.dictionary,
        classification=rules.classification(result.dictionary, kept),
        plan_sha256=result.plan_sha256,
        plan_hash=result.plan_hash,
        plan_commitment=result.plan_commitment,
        plan_nonce=result.plan_nonce,
        master_root=result.master_root,
        sources=result.sources,
        power=result.power,
        terms=kept,
        added_by=act.person,
        added_at=act.at,
    )
    if previous and previous.classification == version.classification:
        version = replace(
            version, tier=previous.tier, confirmed_by=previous.confirmed_by, confirmed_at=previous.confirmed_at
        )
    catalogue.add_version(version)
    act.enter(version.id, {"version": version, "name": order.name, "accepted_guesses": order.accepted_guesses})
    return version


def _still_previous(act: Act, order: VersionOrder) -> Version | None:
    """Hold the order against the records: nobody may have added a version since it was given."""
    previous = catalogue.newest(order.dataset)
    known = catalogue.dataset_named(order.name)
    renamed = known is not None and known.id != order.dataset
    if renamed or (previous and previous.id) != (order.previous and order.previous.id):
        raise ConflictError("Somebody added a version of this dataset meanwhile; start again from the newest.")
    if previous is None:
        catalogue.add_dataset(Dataset(order.dataset, order.name, act.at))
    return previous


@action("catalogue:confirm", "catalogue.version_confirmed")
def confirm(act: Act, name: str, tier: str = Tier.MODERATE.value) -> Version:
    """Confirm the classification of a dataset's newest version, and put it into a tier."""
    if tier not in (one.value for one in Tier):
        raise InvalidInputError(f"There is no tier of this name; there are {', '.join(one.value for one in Tier)}.")
    version = _newest(name)
    rules.may_confirm(version, act.person, four_eyes=custody.get().four_eyes).require()
    catalogue.confirm(version.id, Tier(tier), act.person, act.at)
    confirmed = catalogue.version(version.id)
    facts = {"tier": tier, "controls": rules.controls(confirmed), "classification": version.classification}
    act.enter(version.id, facts)
    return confirmed


@action("catalogue:withdraw", "catalogue.withdrawn")
def withdraw(act: Act, name: str, participants: tuple[str, ...], due_on: date | None = None) -> Withdrawal:
    """Withdraw participants: every later copy is made without them, and every copy out there is due to lose them."""
    asked = tuple(dict.fromkeys(one.strip() for one in participants if one.strip()))
    if not asked:
        raise InvalidInputError("No participant is named; give a file with one id per line.")
    keeping = custody.get()
    dataset = catalogue.dataset_called(name)
    key = act.outside.keys.derive("participant", keeping.id, dataset.id)
    known = set(catalogue.withdrawn(dataset.id))
    tokens = [token for one in asked if (token := rules.participant_token(key, one)) not in known]
    withdrawal = Withdrawal(
        id=act.new_id(WithdrawalId),
        dataset=dataset.id,
        count=len(asked),
        new=len(tokens),
        copies=len(releases.outside(dataset.id)),
        due_on=due_on or (act.at + timedelta(days=keeping.policy.withdrawal_days)).date(),
        recorded_by=act.person,
        recorded_at=act.at,
    )
    catalogue.withdraw(withdrawal, tokens)
    act.enter(withdrawal.id, withdrawal)
    return withdrawal


@reading("catalogue:datasets")
def datasets(_reader: Reader) -> tuple[Dataset, ...]:
    """List the datasets by name."""
    return catalogue.datasets()


@reading("catalogue:show")
def show(_reader: Reader, name: str) -> Version:
    """Show a dataset's newest version."""
    return _newest(name)


@reading("catalogue:versions")
def versions(_reader: Reader, name: str) -> tuple[Version, ...]:
    """List a dataset's versions, oldest first."""
    return catalogue.versions(catalogue.dataset_called(name).id)


@reading("catalogue:withdrawals")
def withdrawals(_reader: Reader) -> tuple[Withdrawal, ...]:
    """List the intakes of withdrawals, newest first."""
    return catalogue.withdrawals()


def _newest(name: str) -> Version:
    version = catalogue.newest(catalogue.dataset_called(name).id)
    if version is None:
        raise NotFoundError("The dataset has no version yet; add one with `dataset add`.")
    return version
