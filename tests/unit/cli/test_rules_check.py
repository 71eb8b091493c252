"""What the doctor says of rules that were made before a mend asked more of them."""

from types import SimpleNamespace
from typing import Any

import pytest

from carepost.cli.checks import house
from carepost.policy.types import Assurance, Rule

pytestmark = pytest.mark.fast

NEWS = {"category": "marketing", "floor": Assurance.NONE, "attestation": "no PHI"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule("news", **NEWS), True),  # type: ignore[arg-type]
        (Rule("news", sender_domain="news.test", **NEWS), False),  # type: ignore[arg-type]
        (Rule("news", unit="shop", **NEWS), False),  # type: ignore[arg-type]
        (Rule("news", category="marketing", floor=Assurance.MESSAGE), False),
        (Rule("news", floor=Assurance.NONE, attestation="no PHI"), False),
        (Rule("news", floor=Assurance.NONE, attestation="no PHI", data_class="none-attested"), True),
    ],
)
def test_a_category_or_data_class_that_lowers_for_whoever_may_send_is_named(rule: Rule, told: bool) -> None:
    here: Any = SimpleNamespace(organisations=lambda: [SimpleNamespace(slug="willow", rules=(rule,))])
    found = list(house.rules(here))
    assert bool(found) == told
    for one in found:
        assert one.state == "attention" and "willow: the rule news" in one.what and "--sender" in one.mend
