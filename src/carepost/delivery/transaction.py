"""One message over one connection: the ESMTP parameters its server understands, and what it lacks."""

import re

from carepost.delivery.carried import Parcel
from carepost.delivery.connection import Connection
from carepost.delivery.exchange import Ended
from carepost.queue.types import Stage

#: RFC 3461 4.2: a type and xtext; anything else is not passed on
_XTEXT = re.compile(r"[A-Za-z0-9-]{1,20};[!-~]{1,500}")
#: another host of the same domain may do what this one cannot (RFC 6531 3.5 for the first)
LACKING = frozenset({"no-smtputf8", "no-8bitmime", "too-large"})


async def transact(connection: Connection, parcel: Parcel) -> Ended:
    """The message, with the parameters its server understands."""
    lines = parameters(connection, parcel)
    return lines if isinstance(lines, Ended) else await connection.send(parcel.sealed, parcel.before_dot, *lines)


def parameters(connection: Connection, parcel: Parcel) -> tuple[str, str] | Ended:
    """What stands behind MAIL and RCPT, each with a leading blank; Ended: its server lacks something."""
    sealed, recipient, can = parcel.sealed, parcel.recipient, connection.capabilities
    utf8 = sealed.utf8 or not sealed.sender.isascii() or not sealed.recipient.isascii()
    lacking = ""
    if utf8 and not can.utf8:
        lacking = "no-smtputf8"
    elif sealed.eightbit and not can.eightbit:
        lacking = "no-8bitmime"
    elif can.size and len(sealed.data) > can.size:
        lacking = "too-large"
    if lacking:
        return Ended(Stage.MAIL, None, lacking, usable=True)
    mail = f" SIZE={len(sealed.data)}" if can.size else ""
    if sealed.eightbit:
        mail += " BODY=8BITMIME"
    if utf8:
        mail += " SMTPUTF8"
    if parcel.requiretls:
        mail += " REQUIRETLS"
    rcpt = ""
    if can.dsn:
        # Whatever the sender asked for: a report of theirs must not carry the message in clear (DESIGN 3).
        mail += " RET=HDRS"
        if recipient.notify:
            rcpt += " NOTIFY=" + ",".join(recipient.notify)
        if recipient.orcpt and _XTEXT.fullmatch(recipient.orcpt):
            rcpt += " ORCPT=" + recipient.orcpt
    return mail, rcpt
