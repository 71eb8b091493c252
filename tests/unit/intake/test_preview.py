"""A preview takes the steps the delivery would take, where posture knows what the wire reaches."""

import msgspec
import pytest

from carepost.intake.preview import foresee
from carepost.policy.types import Access, Assurance, Deliver, Facts, Hold, Method, Rule, Seen
from carepost.wire.types import Protection
from tests.unit.intake.office import CLINIC, Office, submission

pytestmark = pytest.mark.fast

BY_MAIL = Rule("portal-by-mail", portal_by_mail=True)
FACTS = Facts("org", "1", "n@clinic.test", "clinic.test", "p@there.test", "there.test", rules=(BY_MAIL,))


def _with(tls: Assurance | None, access: Access = Access.NONE) -> Facts:
    return msgspec.structs.replace(FACTS, seen=Seen(tls=tls), access=access)


@pytest.mark.parametrize("tls", [None, Assurance.VERIFIED, Assurance.AUTHENTICATED])
def test_a_side_that_is_unknown_or_good_is_expected_to_take_tls(tls: Assurance | None) -> None:
    decision, words = foresee(_with(tls))
    assert isinstance(decision, Deliver) and decision.plan.steps[0].method is Method.TLS
    assert "verified encrypted connection" in words


def test_a_side_nobody_vouches_for_is_expected_to_get_the_portal() -> None:
    decision, words = foresee(_with(Assurance.ENCRYPTED))
    assert isinstance(decision, Deliver) and decision.plan.steps[0].method is Method.PORTAL
    assert decision.plan.rule == "portal-by-mail" and "portal" in words


def test_a_side_in_clear_needs_an_access_code_and_with_one_gets_the_portal() -> None:
    held, words = foresee(_with(Assurance.NONE))
    assert isinstance(held, Hold) and held.reason == "needs-access-code" and "access code" in words
    decision, _ = foresee(_with(Assurance.NONE, Access.CODE))
    assert isinstance(decision, Deliver) and decision.plan.steps[0].method is Method.PORTAL


@pytest.mark.parametrize(
    ("sources", "asked", "said"),
    [
        (("smimea", "wkd"), (Method.SMIME,), "an S/MIME certificate of this recipient would be looked for"),
        (("smimea", "wkd"), (Method.SMIME, Method.OPENPGP), "an S/MIME certificate or an OpenPGP key of this"),
        (("wkd",), (Method.SMIME, Method.OPENPGP), " an OpenPGP key of this recipient would be looked for"),
        (("signed-mail",), (Method.SMIME,), ""),
        ((), (Method.SMIME,), ""),
    ],
    ids=["certificate", "either", "key", "nowhere-published", "nowhere"],
)
async def test_a_preview_says_that_a_key_would_be_looked_for(
    office: Office, sources: tuple[str, ...], asked: tuple[Method, ...], said: str
) -> None:
    """Where the delivery would look for one: a message that may only leave encrypted to its reader."""
    office.change(CLINIC, key_sources=sources)
    (one,) = await office.intake().preview(submission(protection=Protection(None, asked)))
    assert (one.state, one.reason) == ("held", "no-method-left")
    assert (said in one.words) if said else ("looked for" not in one.words)


async def test_a_preview_says_nothing_of_keys_where_tls_comes_first(office: Office) -> None:
    office.change(CLINIC, key_sources=("smimea", "wkd"))
    (one,) = await office.intake().preview(submission())
    assert "looked for" not in one.words
