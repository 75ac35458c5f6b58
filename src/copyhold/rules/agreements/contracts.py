"""What a contract allows at a decision, who may sign it, and what it must pass on to a sub-recipient.

A condition refuses where it is empty, where it is of a kind that is not known here, and where the fact that it asks for
is not known.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from copyhold.domain.agreements.contracts import (
    MOVES,
    Agreement,
    Condition,
    Obligation,
    Side,
    Signature,
    State,
    Terms,
    Use,
)
from copyhold.domain.clocks import Kind
from copyhold.domain.parties import Person, PersonId, Role
from copyhold.domain.verdicts import Reason, Verdict, all_of
from copyhold.rules.agreements import transfers

# The kind of task that a duty becomes.
TASKS: dict[Obligation, Kind] = {
    Obligation.REPORT: Kind.REPORT,
    Obligation.DECLARE: Kind.DECLARATION,
    Obligation.PUBLISH: Kind.DUTY,
    Obligation.RETURN: Kind.DUTY,
    Obligation.DESTROY: Kind.DUTY,
    Obligation.NOTIFY: Kind.NOTICE,
    Obligation.CERTIFY: Kind.CERTIFICATION,
}

SIGNERS = (Role.CUSTODIAN, Role.ACCESS_OFFICER)  # who signs for the custodian
LONGEST_AGE = re.compile("[0-9]{1,5}")  # days
FLOW = "Offer the sub-recipient terms that are no wider than those above."


def decide(condition: Condition, use: Use) -> Verdict:
    """Hold a use against a condition: yes, or no with every reason."""
    if condition.kind == "all of":
        return all_of(decide(one, use) for one in condition.of)
    if condition.kind == "any of":
        return _any_of([decide(one, use) for one in condition.of])
    leaf = LEAVES.get(condition.kind)
    return _unknown() if leaf is None else leaf(condition.values, use)


def _unknown() -> Verdict:
    reason = "The agreement holds a condition of a kind, or names a list, that is not known here."
    return _no("UNKNOWN_TERM", reason, "Have the agreement offered anew in terms that are known.")


def _any_of(verdicts: list[Verdict]) -> Verdict:
    return Verdict() if any(verdicts) else all_of(verdicts)


def _purpose(values: tuple[str, ...], use: Use) -> Verdict:
    reason = "The agreement does not cover the project's purpose."
    fits = bool(use.purposes) and set(use.purposes) <= set(values)
    return _unless(fits, "PURPOSE_NOT_APPROVED", reason, "Have the agreement extended, or the purpose amended.")


def _fields(values: tuple[str, ...], use: Use) -> Verdict:
    reason = "The agreement does not cover every field of the project's scope."
    fits = use.fields is not None and set(use.fields) <= set(values)
    return _unless(fits, "FIELDS_NOT_APPROVED", reason, "Have the agreement extended, or the scope amended.")


def _country(values: tuple[str, ...], use: Use) -> Verdict:
    return _place(use.country in values)


def _not_on_list(values: tuple[str, ...], use: Use) -> Verdict:
    return _on_any_list(values, use, listed=False)


def _on_list(values: tuple[str, ...], use: Use) -> Verdict:
    return _on_any_list(values, use, listed=True)


def _on_any_list(values: tuple[str, ...], use: Use, *, listed: bool) -> Verdict:
    if not set(values) <= transfers.names():
        return _unknown()
    if not values or use.country is None:
        return _place(False)
    return _place(listed is any(transfers.is_on(name, use.country, use.at.date()) for name in values))


def _place(fits: bool) -> Verdict:
    reason = "The agreement does not let the data be used in the institution's country."
    return _unless(fits, "PLACE_NOT_ALLOWED", reason, "Use the data in a place that the agreement names.")


def _institution(values: tuple[str, ...], use: Use) -> Verdict:
    reason = "The agreement lists institutions, and this one is not among them."
    return _unless(use.ror in values, "NOT_ON_THE_LIST", reason, "Have the agreement extended to the institution.")


def _named(_values: tuple[str, ...], use: Use) -> Verdict:
    reason = "The agreement lets only people use the data who are named in the project."
    return _unless(use.named, "NOT_NAMED", reason, "Name the person as a member.")


def _trained_within(values: tuple[str, ...], use: Use) -> Verdict:
    told = values[0] if len(values) == 1 and LONGEST_AGE.fullmatch(values[0]) else None
    fits = told is not None and use.trained_at is not None and use.at < use.trained_at + timedelta(days=int(told))
    reason = "The person's training is older than the agreement lets it be."
    return _unless(fits, "TRAINING_EXPIRED", reason, "Take the course again.")


def _document(values: tuple[str, ...], use: Use) -> Verdict:
    missing = [one for one in values if one not in use.documents]
    reasons = [
        Reason(
            "DOCUMENT_MISSING",
            f"The agreement asks for a document in force, and there is none: {one}.",
            "Record the document with `document add`.",
        )
        for one in missing
    ]
    return Verdict(tuple(reasons)) if values else _no("EMPTY_POLICY", "No document is named.", "Name one.")


# Every kind of leaf: what it is called in an agreement, and the rule that decides it.
LEAVES: dict[str, Callable[[tuple[str, ...], Use], Verdict]] = {
    "purpose": _purpose,
    "fields": _fields,
    "country": _country,
    "country not on list": _not_on_list,
    "country on list": _on_list,
    "institution": _institution,
    "named": _named,
    "trained within days": _trained_within,
    "document": _document,
}


def may_use(agreement: Agreement, use: Use) -> Verdict:
    """Say whether a use is within an agreement: its condition and its places."""
    places = agreement.terms.places
    return decide(agreement.terms.condition, use).and_also(_country(places, use) if places else Verdict())


def governing(agreements: Iterable[Agreement], at: datetime) -> Agreement | None:
    """The agreement that governs a use among those signed: the project's own before its institution's, newest first."""
    running = [one for one in agreements if one.from_at <= at < one.until]
    return max(running, key=lambda one: (one.project is not None, one.id), default=None)


def sides(agreement: Agreement) -> tuple[Side, ...]:
    """Who must sign: the custodian and the institution, and the lead where it is for one project."""
    return (Side.CUSTODIAN, Side.INSTITUTION, *([Side.LEAD] if agreement.project else []))


def missing(agreement: Agreement, signatures: Iterable[Signature]) -> tuple[Side, ...]:
    """The sides that have not signed yet."""
    signed = {one.side for one in signatures}
    return tuple(side for side in sides(agreement) if side not in signed)


def may_sign(
    agreement: Agreement,
    signatures: Iterable[Signature],
    side: Side,
    person: Person,
    lead: PersonId | None,
    text_sha256: str,
    *,
    four_eyes: bool,
) -> Verdict:
    """Say whether this person may sign for this side now, having seen the text of this hash."""
    reasons = []
    if agreement.state is not State.OFFERED:
        reason = f"The agreement is {agreement.state.value} and cannot be signed."
        reasons.append(Reason("AGREEMENT_STATE", reason, "Look at it with `agreement show`."))
    if side not in missing(agreement, signatures):
        reason = f"The {side.value} has signed already, or does not sign this agreement."
        reasons.append(Reason("NOT_YOURS_TO_SIGN", reason, "Look at who must sign with `agreement show`."))
    if not _speaks_for(agreement, side, person, lead):
        reason = f"Only somebody with authority signs for the {side.value}."
        reasons.append(Reason("NO_AUTHORITY", reason, "Have the signing official or the lead sign."))
    if text_sha256 != agreement.text_sha256:
        reason = "The text shown is not the text that was offered."
        reasons.append(Reason("OTHER_TEXT", reason, "Read the agreement as it stands and sign that."))
    if four_eyes and any(one.person == person.id for one in signatures):
        reason = "Whoever signed for one side does not sign for another."
        reasons.append(Reason("SAME_PERSON", reason, "Have another person sign."))
    return Verdict(tuple(reasons))


def _speaks_for(agreement: Agreement, side: Side, person: Person, lead: PersonId | None) -> bool:
    match side:
        case Side.CUSTODIAN:
            return any(role in SIGNERS for role in person.roles)
        case Side.INSTITUTION:
            return Role.INSTITUTION_OFFICIAL in person.roles and person.institution == agreement.institution
        case Side.LEAD:
            return person.id == lead


def flows_down(parent: Terms, child: Terms) -> Verdict:
    """Say whether a sub-recipient is bound to all that the agreement above passes on, and to nothing wider."""
    reasons = [
        Reason("NOT_FLOWED_DOWN", f"The sub-recipient is not bound to what must flow down: no {one.value}.", FLOW)
        for one in parent.flow_down
        if one not in child.prohibitions
    ]
    if not set(parent.flow_down) <= set(child.flow_down):
        reason = "The sub-recipient need not pass on what must flow down further."
        reasons.append(Reason("NOT_FLOWED_DOWN", reason, FLOW))
    if parent.places and not (child.places and set(child.places) <= set(parent.places)):
        reasons.append(Reason("PLACE_NOT_ALLOWED", "The sub-recipient may use the data in more places.", FLOW))
    if child.incident_hours > parent.incident_hours:
        reasons.append(Reason("NOT_FLOWED_DOWN", "The sub-recipient has longer to tell of an incident.", FLOW))
    if parent.audit_right and not child.audit_right:
        reasons.append(Reason("NOT_FLOWED_DOWN", "The sub-recipient need not let itself be audited.", FLOW))
    return Verdict(tuple(reasons))


def may_supersede(before: Agreement, agreement: Agreement) -> Verdict:
    """Say whether an agreement may take the place of another: it must be about the same data, place and project."""
    same = (before.institution, before.dataset, before.project)
    reason = "The agreement that it is to supersede is about another institution, dataset or project."
    fits = same == (agreement.institution, agreement.dataset, agreement.project)
    return _unless(fits, "OTHER_AGREEMENT", reason, "Name the agreement whose place it takes.")


def may_end(agreement: Agreement, state: State) -> Verdict:
    """Say whether an agreement in its state may come to another."""
    if state in MOVES[agreement.state]:
        return Verdict()
    reason = f"The agreement is {agreement.state.value} and cannot become {state.value}."
    return _no("AGREEMENT_STATE", reason, "Look at it with `agreement show`.")


def _unless(fits: bool, code: str, reason: str, fix: str) -> Verdict:
    return Verdict() if fits else _no(code, reason, fix)


def _no(code: str, reason: str, fix: str) -> Verdict:
    return Verdict((Reason(code, reason, fix),))
