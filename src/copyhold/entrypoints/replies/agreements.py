"""An agreement for other programs: JSON-LD in the terms of ODRL 2.2 (W3C Recommendation, 15 February 2018).

It is a form of exchange only: what an agreement allows is decided by rules.agreements, never by an ODRL engine. What
ODRL has no word for is told in Copyhold's own vocabulary, so that nothing is lost on the way.
"""

from copyhold.actions.agreements import Shown
from copyhold.domain.agreements.contracts import Agreement, Condition, Duty, Obligation, Prohibition
from copyhold.domain.words import Plain, plain

CONTEXT = "http://www.w3.org/ns/odrl.jsonld"
OWN = "urn:copyhold:terms:"

ACTIONS: dict[Prohibition, str] = {
    Prohibition.COMMERCIAL_USE: "commercialize",
    Prohibition.REDISTRIBUTION: "distribute",
    Prohibition.REIDENTIFICATION: f"{OWN}reidentify",
    Prohibition.CONTACT: f"{OWN}contact",
    Prohibition.LINKAGE: f"{OWN}link",
    Prohibition.MODEL_RELEASE: f"{OWN}release-model",
    Prohibition.INDIVIDUAL_DECISIONS: f"{OWN}decide-on-individual",
}
DUTIES: dict[Obligation, str] = {
    Obligation.REPORT: "inform",
    Obligation.NOTIFY: "inform",
    Obligation.DECLARE: f"{OWN}declare-copies",
    Obligation.PUBLISH: f"{OWN}publish",
    Obligation.RETURN: f"{OWN}return-results",
    Obligation.DESTROY: "delete",
    Obligation.CERTIFY: f"{OWN}certify-people",
}


def odrl(shown: Shown) -> dict[str, Plain]:
    """Tell an agreement as an ODRL Agreement: permission with its constraints, prohibitions, obligations."""
    agreement = shown.agreement
    parties: dict[str, Plain] = {"assigner": f"{OWN}custodian", "assignee": f"{OWN}{agreement.institution}"}
    target = f"{OWN}{agreement.dataset}"
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": f"{OWN}{agreement.id}",
        "profile": f"{OWN}profile",
        **parties,
        "permission": [{"target": target, "action": "use", "constraint": list[Plain](_constraints(agreement))}],
        "prohibition": [{"target": target, "action": ACTIONS[one]} for one in agreement.terms.prohibitions],
        "obligation": [_obligation(one) for one in agreement.terms.duties],
        f"{OWN}flow-down": [ACTIONS[one] for one in agreement.terms.flow_down],
        f"{OWN}text-sha256": agreement.text_sha256,
        f"{OWN}signatures": [plain(one) for one in shown.signatures],
    }


def _constraints(agreement: Agreement) -> list[Plain]:
    term: list[Plain] = [
        {"leftOperand": "dateTime", "operator": "gteq", "rightOperand": plain(agreement.from_at)},
        {"leftOperand": "dateTime", "operator": "lt", "rightOperand": plain(agreement.until)},
    ]
    if agreement.terms.places:
        places = list[Plain](agreement.terms.places)
        term.append({"leftOperand": "spatial", "operator": "isAnyOf", "rightOperand": places})
    return [*term, _constraint(agreement.terms.condition)]


def _constraint(condition: Condition) -> Plain:
    if condition.kind in ("all of", "any of"):
        word = "and" if condition.kind == "all of" else "or"
        return {word: {"@list": [_constraint(one) for one in condition.of]}}
    left = f"{OWN}{condition.kind.replace(' ', '-')}"
    return {"leftOperand": left, "operator": "isAnyOf", "rightOperand": list[Plain](condition.values)}


def _obligation(duty: Duty) -> Plain:
    constraint: dict[str, Plain] = {
        "leftOperand": "delayPeriod",
        "operator": "lteq",
        "rightOperand": f"PT{duty.within_hours}H",
    }
    return {
        "action": DUTIES[duty.obligation],
        "constraint": [constraint],
        f"{OWN}trigger": duty.trigger.value,
        f"{OWN}recurs": f"P{duty.recurs_days}D" if duty.recurs_days else None,
        f"{OWN}evidence": duty.evidence,
        f"{OWN}consequences": plain(duty.consequences),
    }
