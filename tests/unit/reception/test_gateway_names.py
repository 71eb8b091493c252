"""Names of a provider's certificate, as a connection lists them (RFC 9525 6.3: a wildcard stands for one label)."""

import pytest

from carepost.directory.gateways import Gateway, Settings
from carepost.directory.types import OrgSnapshot
from carepost.ground.keys import PurposeKeys
from carepost.reception.gateways import Gateways, Peer

pytestmark = pytest.mark.fast


class Listed:
    def __init__(self, name: str) -> None:
        self._one = Gateway("one", b"o" * 16, "other", Settings(shared_names=(name,)))

    def snapshot(self, org: bytes) -> OrgSnapshot:
        raise AssertionError("not asked for names")

    def domain_owner(self, domain: str) -> bytes | None:
        return None

    def gateways(self) -> tuple[Gateway, ...]:
        return (self._one,)


def judge(_: object) -> object:
    raise AssertionError("no certificate is shown")


@pytest.mark.parametrize(
    ("listed", "shown", "known"),
    [
        ("mail.shared.test", "mail.shared.test", True),
        ("mail.shared.test", "*.shared.test", True),
        ("*.shared.test", "*.shared.test", True),
        ("*.shared.test", "one.shared.test", True),
        ("*.shared.test", "two.one.shared.test", False),
        ("*.shared.test", "shared.test", False),
        ("*.shared.test", "xshared.test", False),
        ("mail.shared.test", "*.mail.shared.test", False),
        ("mail.shared.test", "mail.shared.test.evil.test", False),
    ],
)
def test_a_wildcard_stands_for_one_label(listed: str, shown: str, known: bool) -> None:
    gateways = Gateways(Listed(listed), judge, PurposeKeys.ephemeral())  # type: ignore[arg-type]
    assert gateways.known(Peer(names=frozenset({shown}))) == known
