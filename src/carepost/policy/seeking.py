"""Which keys of a recipient are worth looking for: those that would be used first, were they known. Pure."""

import msgspec

from carepost.policy.decide import decide
from carepost.policy.types import Deliver, Facts, Kind, Method, Ternary

KEYED = (Method.SMIME, Method.OPENPGP)


def sought(facts: Facts) -> tuple[Method, ...]:
    """The methods whose key is not known and would change what happens next; empty where none would. A method whose
    known key changed is not among them: that is for a person to decide."""
    if facts.kind is not Kind.MESSAGE or facts.bound_to is not None:
        return ()
    return tuple([method for method in KEYED if _lacks(facts, method) and _leads(facts, method)])


def _lacks(facts: Facts, method: Method) -> bool:
    if method not in facts.available or method in facts.exhausted or method in facts.changed_keys:
        return False
    return (facts.smime_key if method is Method.SMIME else facts.openpgp_key) is not Ternary.YES


def _leads(facts: Facts, method: Method) -> bool:
    known = (
        msgspec.structs.replace(facts, smime_key=Ternary.YES)
        if method is Method.SMIME
        else msgspec.structs.replace(facts, openpgp_key=Ternary.YES)
    )
    decision = decide(known)
    return isinstance(decision, Deliver) and decision.plan.steps[0].method is method
