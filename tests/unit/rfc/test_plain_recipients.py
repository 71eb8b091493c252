"""RCPT with a plain path is read at one go: the same is read, and the same refused, as by the longer way."""

import pytest

from carepost.rfc import esmtp
from carepost.rfc.errors import CommandError

pytestmark = pytest.mark.fast

PATHS = [
    b"ann@elsewhere.test", b"Ann.Roe+x@Elsewhere.TEST", b"ann@elsewhere.test.", b"@a.test:ann@b.test", b"ann",
    b"ann@localhost", b"ann@[127.0.0.1]", b'"ann roe"@elsewhere.test', b"ann..roe@elsewhere.test", b".ann@b.test",
    b"", b"postmaster", b"ann@xn--mnchen-3ya.test", b"ann@XN--zzzzzz.test", b"ann@a--b.test", b"ann@-a.test",
    b"a" * 65 + b"@b.test", b"ann@" + b"b" * 64 + b".test", b"ann@" + b"b." * 130 + b"test", b"ann@b.test>",
    b"<ann@b.test", b"ann@b.test\xc3\xa9", b"ann roe@b.test", b"ann@b.test\x00", b"ann@b@c.test",
    b"a" * 54 + b"@b.test",
]  # fmt: skip


def read(argument: bytes) -> object:
    try:
        return esmtp.parse_rcpt(argument)
    except CommandError as error:
        return error.code, error.public, error.enhanced, error.reply


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_it_is_the_same_by_both_ways(path: bytes) -> None:
    # the keyword in small letters goes the longer way
    assert read(b"TO:<" + path + b">") == read(b"to:<" + path + b">")
