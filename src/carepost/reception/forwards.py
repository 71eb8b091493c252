"""Mail that a tenant's mailbox forwards by itself: From stays a stranger's, and the tenant's system says in a field of
its own which mailbox it was. Such a field proves nothing alone: whose system handed it over was settled before."""

import re
from collections.abc import Callable
from typing import Final

from carepost.rfc.envelope import Envelope
from carepost.rfc.message import Message

#: what mail systems write when a rule or a setting of a mailbox forwards: Exchange, Gmail, Sieve (RFC 5229 users), and
#: everybody who resends as RFC 5322 3.6.6 says
MARKS: Final = (
    "x-ms-exchange-inbox-rules-loop", "x-ms-exchange-forwardingsmtpaddress", "x-forwarded-for",
    "x-sieve-redirected-from", "resent-from",
)  # fmt: skip
#: addresses of one field that are looked at
_MOST: Final = 10
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{3,253}")


def forwarder(read: Message, envelope: Envelope, ours: Callable[[str], bool]) -> str:
    """The mailbox that forwarded it, in a domain that is `ours`; "" where no mark names one. A list's resending and a
    notice of ours are not told apart here: what counts is whose mailbox let it go."""
    for name in MARKS:
        for value in read.all(name)[:_MOST]:
            for found in _ADDRESS.findall(value[:4096])[:_MOST]:
                address, _, domain = found.rpartition("@")
                if ours(domain.lower().rstrip(".")):
                    return f"{address}@{domain.lower().rstrip('.')}"
    return ""
