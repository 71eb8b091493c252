"""The trace field we put before a message (RFC 5321 4.4). It names neither client nor recipient (DESIGN 3)."""

import re

from carepost.rfc import date
from carepost.rfc.errors import ComposeError

_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,255}")


def field(*, by: str, protocol: str, token: str, at: int) -> bytes:
    """`Received: by HOST with PROTOCOL id TOKEN; DATE` with its CRLF.

    `protocol`: ESMTPS, ESMTPSA, HTTPS, LMTP ... (RFC 3848); `token`: our opaque message id; `at`: UTC microseconds."""
    for value in (by, protocol, token):
        if _TOKEN.fullmatch(value) is None:
            raise ComposeError("received", "The host name, protocol or id of the trace field is not well formed.")
    return f"Received: by {by} with {protocol} id {token};\r\n\t{date.text(at)}\r\n".encode("ascii")
