"""BI-038: certificates that look right and are not. None of them counts as verified."""

import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from carepost.delivery import trust
from carepost.delivery.trust import Anchors
from carepost.ground.errors import ConfigError
from tests.support.mailhost import Ca, Pair, make, pem_file

HOST = "mx.there.test"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def fault(ca: Ca, leaf: Pair, *more: Pair, extra: str = "") -> str:
    return Anchors.pinned(ca.pem + extra).judge([leaf.der, *(one.der for one in more)]).fault


def test_a_good_certificate_has_no_fault_and_its_names(ca: Ca) -> None:
    chain = Anchors.pinned(ca.pem).judge([ca.leaf(HOST, "*.there.test").der])
    assert (chain.fault, chain.names) == ("", {HOST, "*.there.test"})


def test_expired(ca: Ca) -> None:
    assert fault(ca, ca.leaf(HOST, start=-40 * DAY, life=30 * DAY)) == "expired"


def test_not_yet_valid(ca: Ca) -> None:
    assert fault(ca, ca.leaf(HOST, start=2 * DAY)) == "not-yet-valid"


def test_self_signed(ca: Ca) -> None:
    assert fault(ca, make(HOST, (HOST,))) == "self-signed"


def test_self_signed_with_the_name_of_a_known_authority(ca: Ca) -> None:
    assert fault(ca, make("Invented Test CA", (HOST,))) == "self-signed"


def test_unknown_authority(ca: Ca) -> None:
    assert fault(ca, Ca("Another CA").leaf(HOST)) == "unknown-issuer"


def test_an_authority_of_the_same_name_with_another_key(ca: Ca) -> None:
    stranger = Ca("Invented Test CA")
    assert fault(ca, stranger.leaf(HOST), stranger.pair) == "unknown-issuer"


def test_wrong_extended_key_usage(ca: Ca) -> None:
    assert fault(ca, ca.leaf(HOST, usage=ExtendedKeyUsageOID.CLIENT_AUTH)) == "wrong-use"


def test_a_common_name_alone_is_no_name(ca: Ca) -> None:
    chain = Anchors.pinned(ca.pem).judge([make(HOST, (), parent=ca.pair).der])
    assert chain.fault == "no-name"
    assert not trust.matches(HOST, chain.names)


def test_a_leaf_may_not_sign_another(ca: Ca) -> None:
    leaf = ca.leaf("legitimate.test")
    forged = make(HOST, (HOST,), parent=Pair(leaf.certificate, leaf.key))
    assert fault(ca, forged, leaf) == "unknown-issuer"


def test_name_constraints_of_an_intermediate_hold(ca: Ca) -> None:
    limited = Ca("Limited CA", parent=ca, permitted="other.test")
    assert fault(ca, limited.leaf(HOST), limited.pair) == "unknown-issuer"
    assert fault(ca, limited.leaf("mx.other.test"), limited.pair) == ""


def test_an_intermediate_that_is_sent_is_used_and_one_that_is_not_is_missed(ca: Ca) -> None:
    between = Ca("Intermediate CA", parent=ca)
    leaf = between.leaf(HOST)
    assert fault(ca, leaf, between.pair) == ""
    assert fault(ca, leaf) == "unknown-issuer"


def test_revoked(ca: Ca) -> None:
    leaf = ca.leaf(HOST)
    assert fault(ca, leaf, extra=ca.revoke(leaf)) == "revoked"
    assert fault(ca, ca.leaf(HOST), extra=ca.revoke(leaf)) == ""


def test_a_revocation_list_of_a_stranger_revokes_nothing(ca: Ca) -> None:
    leaf = ca.leaf(HOST)
    assert fault(ca, leaf, extra=Ca("Invented Test CA").revoke(leaf)) == ""


def test_what_is_no_certificate_is_unreadable() -> None:
    assert Anchors.pinned(Ca().pem).judge([b"\x30\x03\x02\x01\x01"]).fault == "unreadable"
    assert Anchors.pinned(Ca().pem).judge([]).fault == "absent"


def test_a_pinned_self_signed_certificate_vouches_for_itself() -> None:
    """`route add --ca FILE` with the server's own certificate."""
    own = make(HOST, (HOST,))
    assert Anchors.pinned(own.pem.decode()).judge([own.der]).fault == ""
    assert Anchors.pinned(own.pem.decode()).judge([make(HOST, (HOST,)).der]).fault == "self-signed"


@pytest.mark.parametrize(
    ("name", "shown", "fits"),
    [
        ("mx.there.test", ["mx.there.test"], True),
        ("MX.There.Test.", ["mx.there.test"], True),
        ("mx.there.test", ["there.test"], False),
        ("mx.there.test", ["*.there.test"], True),
        ("a.mx.there.test", ["*.there.test"], False),
        ("there.test", ["*.there.test"], False),
        ("there.com", ["*.com"], False),
        ("mx.there.test", ["mx.*.test"], False),
        ("mx.there.test", ["m*.there.test"], False),
        ("mx.there.test", ["*"], False),
        ("mx.there.test", ["*.*.test"], False),
        ("evil.test", ["mx.there.test\0.evil.test"], False),
        ("mx.there.test", ["mx.there.test.evil.test"], False),
        ("192.0.2.7", ["192.0.2.7"], True),
        ("192.0.2.7", ["*.0.2.7"], False),
    ],
)
def test_names_match_as_rfc_9525_says(name: str, shown: list[str], fits: bool) -> None:
    assert trust.matches(name, shown) is fits


def test_a_nul_in_a_name_is_dropped_with_the_name(ca: Ca) -> None:
    san = x509.SubjectAlternativeName([x509.DNSName("mx.there.test\0.evil.test"), x509.DNSName("evil.test")])
    chain = Anchors.pinned(ca.pem).judge([ca.leaf("evil.test", san=san).der])
    assert not trust.matches("mx.there.test", chain.names)
    assert "mx.there.test\0.evil.test" not in chain.names


def test_an_address_in_the_certificate_stands_for_the_address_only(ca: Ca) -> None:
    san = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.7"))])
    chain = Anchors.pinned(ca.pem).judge([ca.leaf("x", san=san).der])
    assert chain.fault == ""
    assert trust.matches("192.0.2.7", chain.names)
    assert not trust.matches("mx.there.test", chain.names)


def test_the_system_store_is_read_though_some_of_it_is_odd(ca: Ca, tmp_path: Path) -> None:
    file = pem_file(tmp_path, ca.pem)
    assert Anchors.system(file).judge([ca.leaf(HOST).der]).fault == ""
    assert Anchors.system().judge([ca.leaf(HOST).der]).fault == "unknown-issuer"


def test_a_wrong_extra_file_names_its_setting(tmp_path: Path) -> None:
    folder = tmp_path
    with pytest.raises(ConfigError, match="outbound_ca"):
        Anchors.system(folder / "none.pem")
    with pytest.raises(ConfigError, match="outbound_ca"):
        Anchors.system(pem_file(folder, "nothing here"))
