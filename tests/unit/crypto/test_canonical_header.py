"""One canonical header, whether the short way or the long one made it (RFC 6376 3.4.2)."""

import itertools

import pytest

from carepost.crypto import dkim

pytestmark = pytest.mark.fast

_LINES = (
    b"From: Clinic <a@b.test>\r\n",
    b"from :a@b.test\r\n",
    b"Subject:x \r\n",
    b"SUBJECT: y\r\n",
    b"Subject: one\r\n two\r\n",
    b"To: a@b.test,\r\n\tc@d.test\r\n",
    b"To:  two  spaces\r\n",
    b"X-Other: 1\r\n",
    b"no field\r\n",
    b" begins with a space\r\n",
    b"To:\r\n",
)


def _long_way(header: bytes) -> dict[bytes, list[bytes]]:
    values: dict[bytes, list[bytes]] = {}
    wanted = {name.lower() for name in dkim.SIGNED}
    for name, value in dkim.fields(header):
        if name in wanted:
            values.setdefault(name, []).append(dkim.relaxed_value(value))
    return values


def test_both_ways_read_the_same() -> None:
    for chosen in itertools.chain.from_iterable(itertools.permutations(_LINES, size) for size in range(4)):
        header = b"".join(chosen)
        for one in (header, header.removesuffix(b"\r\n")):
            assert dkim.canonical(one).values == _long_way(one), one
