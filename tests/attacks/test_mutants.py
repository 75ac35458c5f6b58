"""Test 7 of the tracing design, section 11: each way out of the theorem is caught, and nothing else is."""

import pytest

from tests.attacks.instrument import Instrument, check_expected_innocents
from tests.attacks.mutants import MUTANTS, Catch


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_instrument_is_caught(mutant: type[Instrument]) -> None:
    with pytest.raises(AssertionError, match=MUTANTS[mutant].says):
        MUTANTS[mutant].run(mutant())


def test_the_charges_of_all_attempts_and_stages_add_to_no_more_than_alpha() -> None:
    check_expected_innocents(Instrument())


@pytest.mark.attack
@pytest.mark.parametrize("catch", dict.fromkeys(MUTANTS.values()), ids=str)
def test_the_checks_that_catch_mutants_let_the_product_pass(catch: Catch) -> None:
    catch.run(Instrument())
