"""Addresses this system answers for itself, and all that its MX takes: `notice@` every sender domain, where reports
about our notices come back, the organisation's portal address, which answers written in the portal come from, and
`dmarc-reports@` and `tls-reports@` every sender domain, where other systems report about mail in its name, and
`postmaster@` every sender domain, whose mail goes to the organisation's address for alerts."""

import base64
import binascii
import enum

from carepost.directory.types import OrgSnapshot
from carepost.intake import returns

NOTICE_NAME = "notice"
PORTAL_NAME = "portal"
POSTMASTER_NAME = "postmaster"
FORWARD_PREFIX = "forward+"
REPORT_NAMES = ("dmarc-reports", "tls-reports")

_ID, _MAC = 16, 10


class Own(enum.StrEnum):
    NOTICE = "notice"
    PORTAL = "portal"
    REPORTS = "reports"
    #: RFC 5321 4.5.1: mail to it is taken in every domain
    POSTMASTER = "postmaster"
    #: a signed return path, or an address for complaints beside it (`intake.returns`)
    RETURN = "return"
    #: the reverse path of what a mailbox forwards (`intake.forwarding`)
    FORWARD = "forward"


def own(snapshot: OrgSnapshot, address: str) -> Own | None:
    """Which of the organisation's own addresses this is; None: nobody here answers for it. `+…` behind the portal's
    name is a conversation's token. Names are compared without case, as every mail system does with its own."""
    name, _, domain = address.rpartition("@")
    name = name.casefold()
    if returns.ours(snapshot, name, domain):
        return Own.RETURN
    if snapshot.domain(domain) is None:
        return None
    if name.startswith(FORWARD_PREFIX):
        return Own.FORWARD
    if name == NOTICE_NAME:
        return Own.NOTICE
    if name == POSTMASTER_NAME:
        return Own.POSTMASTER
    if name in REPORT_NAMES:
        return Own.REPORTS
    portal, _, at = (snapshot.portal_address or f"{PORTAL_NAME}@{domain}").casefold().rpartition("@")
    if at == domain and (name == portal or name.startswith(f"{portal}+")):
        return Own.PORTAL
    return None


def token_of(address: str) -> tuple[bytes, bytes] | None:
    """(conversation, MAC) of what stands behind the last `+` (written by `mailbox.tokens`); None for what is none."""
    name, plus, token = address.rpartition("@")[0].rpartition("+")
    if not plus or not name or len(token) > 64 or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    return (raw[:_ID], raw[_ID:]) if len(raw) == _ID + _MAC else None
