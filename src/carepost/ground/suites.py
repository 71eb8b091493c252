"""The cipher suites of every TLS context of ours: forward secrecy and authenticated encryption (RFC 9325 4.2).

TLS 1.3 has no others. Of TLS 1.2 the CBC suites (padding oracles) and static RSA (no forward secrecy) are left out, on
both sides: a peer that knows nothing else counts as one whose TLS failed, and gets nothing in clear.
"""

import ssl
from typing import Any, Final

#: OpenSSL's level 2: keys of 112 bits of strength at least (RSA and DH of 2048 bits)
_SUITES: Final = "@SECLEVEL=2:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aDSS:!aNULL"
#: for TLS that is not Python's `ssl`
TLS12: Final = _SUITES


def modern(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, TLS 1.2 at least, with these suites alone."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    return context


class _Direct(ssl.SSLObject):
    """An SSLObject whose `read`, `write` and `pending` are OpenSSL's own, without the frame in Python that `ssl` puts
    around each: a message relayed needs eighteen of them."""

    @classmethod
    def _create(cls, *given: Any, **named: Any) -> "_Direct":
        # as `wrap_bio` calls it
        made: _Direct = super()._create(*given, **named)  # type: ignore[misc]
        inner = made._sslobj  # type: ignore[attr-defined]
        vars(made).update(read=inner.read, write=inner.write, pending=inner.pending)
        return made


def direct(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, for connections of an event loop: their `read` takes its length always."""
    context.sslobject_class = _Direct
    return context
