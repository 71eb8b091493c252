"""Which file is whose, and what stands about a certificate in words."""

import pytest

from carepost.ground.errors import Refused
from carepost.keyring import batch, words

pytestmark = pytest.mark.fast

DAY = words.DAY_US
NOON = 1_795_262_400_000_000


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("bo@partner.test.pem", "bo@partner.test"),
        ("bo@partner.test.ASC", "bo@partner.test"),
        ("bo@partner.test", "bo@partner.test"),
        ("bo.b@lab.partner.test.p7b", "bo.b@lab.partner.test"),
        ("readme.txt", ""),
        ("@.pem", ""),
        ("bo@.pem", ""),
    ],
)
def test_a_file_is_named_by_its_address(name: str, address: str) -> None:
    assert batch.address_of(name) == address


def test_a_table_says_which_file_is_whose_with_or_without_heading() -> None:
    rows = [("bo@partner.test", "bo.pem"), ("cy@partner.test", "keys/cy, new.asc")]
    plain = b'bo@partner.test, bo.pem\r\n\r\ncy@partner.test,"keys/cy, new.asc",more\r\n'
    assert batch.table(plain) == rows
    assert batch.table(b"\xef\xbb\xbfaddress,file\r\n" + plain) == rows
    assert batch.table(b"") == []


def test_certificates_in_one_file_are_no_table_and_it_says_what_to_do() -> None:
    with pytest.raises(Refused, match="import a folder") as refused:
        batch.table(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    assert refused.value.code == "bad-table"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"bo@partner.test\n", "bad-table"),
        (b"bo@partner.test,\n", "bad-table"),
        (b"bo@partner.test,\xff.pem\n", "bad-table"),
        (b'bo@partner.test,"open\n', "bad-table"),
        (b"x" * (batch.MOST_TABLE + 1), "table-too-large"),
        (b"a@b.test,c\n" * (batch.MOST_ROWS + 1), "table-too-long"),
    ],
)
def test_what_is_no_table_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        batch.table(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("state", "left", "word", "tone"),
    [
        ("in use", 400, "In use", "good"),
        ("in use", 30, "In use, ends soon", "wait"),
        ("in use", 0, "Ran out", "bad"),
        ("changed", 400, "Changed: mail is held", "bad"),
        ("replaced", -3, "Replaced", "plain"),
        ("distrusted", 400, "Distrusted", "bad"),
    ],
)
def test_a_state_in_words(state: str, left: int, word: str, tone: str) -> None:
    mark = words.mark(state, NOON + left * DAY, NOON)
    assert (mark.word, mark.tone) == (word, tone)


def test_without_an_end_it_never_runs_out_and_is_read_in_fours() -> None:
    assert words.mark("in use", 0, NOON).word == "In use"
    assert words.grouped("ab12cd34ef") == "AB12 CD34 EF"
