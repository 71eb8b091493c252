"""Where a key would be in a Web Key Directory or in the DNS, and what is kept of an answer."""

import pytest

from carepost.crypto.openpgp import dane, keys, wkd
from carepost.crypto.openpgp.errors import Malformed, Unusable
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.rfc.errors import AddressError
from tests.support.openpgp import JANE, NURSE, key

pytestmark = pytest.mark.fast


def test_the_example_of_the_draft() -> None:
    name = "iy9q119eutrkn8s1mk4r39qejnbu3n5q"
    assert wkd.urls("Joe.Doe@Example.ORG") == (
        f"https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/{name}?l=Joe.Doe",
        f"https://example.org/.well-known/openpgpkey/hu/{name}?l=Joe.Doe",
    )


def test_the_name_in_the_dns_keeps_the_case_of_the_local_part() -> None:
    """RFC 7929 3, its example; standards 3.4: SHA-256 cut to 28 octets, and another case is another name."""
    name = "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._openpgpkey.example.com"
    assert dane.owner("hugh@example.com") == dane.owner("hugh@Example.COM") == name
    assert dane.owner("Hugh@example.com") != name
    with pytest.raises(AddressError):
        dane.owner('"a b"@clinic.test')


@pytest.mark.parametrize("local", ["joe.doe", "JOE.DOE", "Joe.Doe"])
def test_ascii_letters_fold_and_no_others(local: str) -> None:
    assert wkd.local_hash(local) == wkd.local_hash("joe.doe")
    assert wkd.local_hash("Ä") != wkd.local_hash("ä")


@pytest.mark.parametrize("address", ["", "a@b@c.test", "a@b.test/../x", "a@b.test?x", "a\n@b.test", "@b.test", "a@"])
def test_what_is_no_address_makes_no_url(address: str) -> None:
    with pytest.raises(AddressError):
        wkd.urls(address)


def test_a_local_part_cannot_leave_its_place_in_the_url() -> None:
    for local in ("a/b", "a&b", "a#b", "a?b", "a%b", "a+b"):
        for url in wkd.urls(f"{local}@home.test"):
            host, _, tail = url.removeprefix("https://").partition("/")
            assert host in ("openpgpkey.home.test", "home.test")
            assert set("/&#?+") & set(tail.partition("?l=")[2]) == set()


def test_only_the_names_of_the_address_asked_for_are_kept(nurse: PrivateKey) -> None:
    two = keys.generate([("Jane", JANE), ("Director", "director@clinic.test")])
    found = wkd.read(two.certificate.raw + nurse.certificate.raw, JANE)
    assert [(c.fingerprint, c.addresses) for c in found] == [(two.certificate.fingerprint, (JANE,))]
    assert wkd.read(keys.armored(two.certificate), JANE)[0].addresses == (JANE,)


def test_bi_070_an_answer_for_somebody_else_or_too_large_is_none(nurse: PrivateKey) -> None:
    with pytest.raises(Unusable):
        wkd.read(nurse.certificate.raw, JANE)
    for answer in (b"", b"<html>not found</html>", key(JANE).certificate.raw + bytes(20 * 1024 * 1024)):
        with pytest.raises(Malformed):
            wkd.read(answer, JANE)


def test_a_private_key_published_by_mistake_is_not_taken(nurse: PrivateKey) -> None:
    with pytest.raises(Malformed):
        wkd.read(nurse.raw, NURSE)
