"""What an engine found when it tried a tenant's own mail host (`directory.gateways`), step by step."""

from typing import Final

import msgspec

#: steps of an engine, in the order they are tried; and those the office adds
HOST, TLS, TOKEN, SIGN_IN, RECIPIENT, SENT = "host", "tls", "token", "sign-in", "recipient", "sent"
MX, SPF, DKIM, RETURNED = "mx", "spf", "dkim", "returned"
#: `Probed.state`: it works; it does not, and `cause` says why; not tried, because a step before it failed; under way
GOOD, BAD, SKIPPED, WAITS = "good", "bad", "skipped", "waits"
ENGINE: Final = (HOST, TLS, TOKEN, SIGN_IN, RECIPIENT, SENT)
STEPS: Final = (MX, SPF, DKIM, HOST, TLS, TOKEN, SIGN_IN, RECIPIENT, SENT, RETURNED)


class Probed(msgspec.Struct, frozen=True):
    """`found`: what stands there, in words and values of ours: never what a server wrote. `cause`: a stable code."""

    step: str
    state: str
    found: str = ""
    cause: str = ""
