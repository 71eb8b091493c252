"""Which keys are worth looking for: those that would be used first, were they known."""

import msgspec
import pytest

from carepost.policy.seeking import sought
from carepost.policy.types import Access, Assurance, Facts, Kind, Method, Rule, Seen, Ternary

pytestmark = pytest.mark.fast

S, P = Method.SMIME, Method.OPENPGP
ALL = tuple(Method)
FACTS = Facts(
    "org", "1", "n@clinic.test", "clinic.test", "p@there.test", "there.test",
    rules=(Rule("portal-by-mail", portal_by_mail=True),), available=ALL, seen=Seen(tls=Assurance.ENCRYPTED),
)  # fmt: skip


def facts(**changes: object) -> Facts:
    return msgspec.structs.replace(FACTS, **changes)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (facts(), ()),
        (facts(exhausted=(Method.TLS,)), (S, P)),
        (facts(exhausted=(Method.TLS, S)), (P,)),
        (facts(exhausted=(Method.TLS,), smime_key=Ternary.YES), ()),
        (facts(exhausted=(Method.TLS,), openpgp_key=Ternary.YES), (S,)),
        (facts(exhausted=(Method.TLS,), changed_keys=(S,)), ()),
        (facts(exhausted=(Method.TLS,), changed_keys=(P,)), (S,)),
        (facts(asked_methods=(S,)), (S,)),
        (facts(asked_methods=(Method.PORTAL,), access=Access.CODE), ()),
        (facts(asked_methods=(Method.PORTAL, S), access=Access.CODE), ()),
        (facts(asked_floor=Assurance.MESSAGE), (S, P)),
        (facts(exhausted=(Method.TLS,), bound_to=Method.TLS), ()),
        (facts(exhausted=(Method.TLS,), kind=Kind.NOTICE), ()),
        (facts(exhausted=(Method.TLS,), suppressed=Ternary.YES), ()),
        (facts(exhausted=(Method.TLS,), available=(Method.TLS, Method.PORTAL)), ()),
    ],
    ids=[
        "tls comes first", "tls was given up", "smime too", "smime known", "openpgp known comes after smime",
        "smime changed holds", "openpgp changed", "only smime", "only portal", "portal first", "floor", "uncertain",
        "notice", "suppressed", "not carried out",
    ],
)  # fmt: skip
def test_a_key_is_sought_only_where_it_would_come_first(given: Facts, wanted: tuple[Method, ...]) -> None:
    assert sought(given) == wanted
