"""TLS objects of connections: OpenSSL's own methods, and nothing else is different."""

import ssl
import types

import pytest

from carepost.ground import suites

pytestmark = pytest.mark.fast


def test_reads_and_writes_are_openssls_own() -> None:
    context = suites.direct(suites.modern(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = context.wrap_bio(incoming, outgoing, server_hostname="mx.verified.test")
    for method in (made.read, made.write, made.pending):
        assert isinstance(method, types.BuiltinMethodType)
    assert isinstance(made, ssl.SSLObject) and made.server_hostname == "mx.verified.test"
    with pytest.raises(ssl.SSLWantReadError):
        made.do_handshake()
    assert outgoing.read(1) == b"\x16" and made.pending() == 0
