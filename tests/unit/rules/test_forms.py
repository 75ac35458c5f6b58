"""Forms of agreements: those that ship are whole, and one that is not says so."""

from datetime import UTC, datetime

import pytest

from copyhold.domain.agreements.contracts import Condition, Obligation, Trigger
from copyhold.domain.errors import InvalidInputError
from copyhold.rules.agreements import contracts, forms

START, END = datetime(2026, 5, 3, tzinfo=UTC), datetime(2027, 5, 3, tzinfo=UTC)


def kinds(condition: Condition) -> set[str]:
    return {condition.kind}.union(*(kinds(one) for one in condition.of))


@pytest.mark.parametrize("name", forms.names())
def test_a_form_that_ships_is_whole(name: str) -> None:
    form = forms.shipped(name)
    text = forms.filled_in(form, "Cohort", "Valley", "NHANES", "Heart", START, END)
    assert "$" not in text
    assert all(word in text for word in ("Cohort", "Valley", "NHANES", "Heart", "03 May 2026", "03 May 2027"))
    assert kinds(form.terms.condition) <= {*contracts.LEAVES, "all of", "any of"}
    assert set(form.terms.flow_down) <= set(form.terms.prohibitions)
    assert contracts.flows_down(form.terms, form.terms)
    told = [one for one in form.terms.duties if one.obligation is Obligation.NOTIFY]
    assert [(one.trigger, one.within_hours) for one in told] == [(Trigger.INCIDENT, form.terms.incident_hours)]


def test_without_a_project_the_text_is_for_all() -> None:
    assert "and the project" not in forms.filled_in(forms.shipped("transfer"), "C", "V", "N", "", START, END)


WHOLE = 'title = "T"\nversion = "1"\n[condition]\nkind = "named"\n'


@pytest.mark.parametrize(
    ("terms", "text", "told"),
    [
        ("title =", "", "TOML"),
        (WHOLE + "[surprise]\n", "", "surprise"),
        ('title = "T"\nversion = "1"\n', "", "lacks something"),
        ('prohibitions = ["singing"]\n' + WHOLE, "", "not known"),
        ('incident_hours = "soon"\n' + WHOLE, "", "not known"),
        ('places = ["XX"]\n' + WHOLE, "", "A place"),
        (WHOLE, "between $nobody", "lacks something"),
        (WHOLE, "it costs 5 $", "not known"),
        ('condition = "named"\ntitle = "T"\nversion = "1"\n', "", "another shape"),
    ],
)
def test_a_form_that_is_not_whole_is_one_clear_sentence(terms: str, text: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        forms.read(terms, text)


def test_a_form_that_does_not_ship_is_told_with_those_that_do() -> None:
    with pytest.raises(InvalidInputError, match="transfer"):
        forms.shipped("napkin")
