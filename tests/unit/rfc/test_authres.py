"""Authentication-Results: ours, and the forgeries of ours (RFC 8601 5)."""

import pytest

from carepost.rfc import authres, message
from carepost.rfc.authres import Result

pytestmark = pytest.mark.fast

HOST = "mx.clinic.test"
REST = b"From: a@b.test\r\n\r\nbody\r\n"


def without(*fields: bytes) -> bytes:
    raw = b"".join(b"Authentication-Results:" + field + b"\r\n" for field in fields) + REST
    return authres.without(raw, message.read(raw), HOST)


@pytest.mark.parametrize(
    "value",
    [
        b" mx.clinic.test; dkim=pass",
        b" MX.Clinic.Test; dkim=pass",
        b" (hello) mx.clinic.test 1; spf=pass",
        b"\r\n\t(a (nested) \\) one)\r\n mx.clinic.test; spf=pass",
        b' "mx.clinic.test"; spf=pass',
        b' "mx.clinic\\.test"; spf=pass',
        b" ; spf=pass",
        b' "unended; spf=pass',
        b"",
    ],
)
def test_what_claims_to_be_ours_goes(value: bytes) -> None:
    assert without(value) == REST


def test_the_word_of_others_stays() -> None:
    other = b" mx.other.test; dkim=pass"
    assert without(other, b" mx.clinic.test; dkim=pass") == b"Authentication-Results:" + other + b"\r\n" + REST


def test_ours_names_no_local_part_and_no_other_field() -> None:
    made = authres.field(
        HOST,
        (
            Result("spf", "pass", "", (("smtp.mailfrom", "clinic.test"),)),
            Result("dkim", "fail", 'bad"\r\nBcc: x', (("header.d", "a b;c"),)),
        ),
    )
    assert made.startswith(b"Authentication-Results: mx.clinic.test;\r\n\tspf=pass smtp.mailfrom=clinic.test;\r\n\t")
    assert b"\r\nBcc" not in made and made.count(b"\r\n") == 3
    assert authres.field(HOST, ()) == b"Authentication-Results: mx.clinic.test;\r\n\t none\r\n"
