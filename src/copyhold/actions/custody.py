"""Found a custody, and look at it.

Acts:
    found(occasion, name, operator_email, four_eyes=True) -> Custody      custody:found    custody.founded
Readings:
    show(occasion) -> Custody                                             custody:show
"""

from copyhold.actions.act import Act, Reader, action, reading
from copyhold.domain.custody import Custody, CustodyId, Policy
from copyhold.domain.errors import ConflictError
from copyhold.domain.parties import Person, PersonId, Role
from copyhold.domain.words import email, text
from copyhold.records import custody, parties


@action("custody:found", "custody.founded")
def found(act: Act, name: str, operator_email: str, four_eyes: bool = True) -> Custody:
    """Found the custody, with its operator as first custodian; once per database."""
    if custody.founded():
        raise ConflictError("This custody is founded already; use another folder for another custody.")
    operator = Person(act.new_id(PersonId), email(operator_email), None, (Role.CUSTODIAN,), act.at)
    new = Custody(act.new_id(CustodyId), text(name, "The name"), operator.id, four_eyes, Policy(), act.at)
    parties.add_person(operator)
    custody.found(new)
    act.enter(new.id, {"custody": new, "operator": operator})
    return new


@reading("custody:show")
def show(_reader: Reader) -> Custody:
    """Show the custody: its name, operator, four eyes, policy."""
    return custody.get()
