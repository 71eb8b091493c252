"""Addresses this system answers for itself, and all that its MX takes: `notice@` every sender domain, where reports
about our notices come back, and the organisation's portal address, which answers written in the portal come from."""

import enum

from carepost.directory.types import OrgSnapshot

NOTICE_NAME = "notice"
PORTAL_NAME = "portal"


class Own(enum.StrEnum):
    NOTICE = "notice"
    PORTAL = "portal"


def own(snapshot: OrgSnapshot, address: str) -> Own | None:
    """Which of the organisation's own addresses this is; None: nobody here answers for it. `+…` behind the portal's
    name is a thread's token. Names are compared without case, as every mail system does with its own."""
    name, _, domain = address.rpartition("@")
    if snapshot.domain(domain) is None:
        return None
    name = name.casefold()
    if name == NOTICE_NAME:
        return Own.NOTICE
    portal, _, at = (snapshot.portal_address or f"{PORTAL_NAME}@{domain}").casefold().rpartition("@")
    if at == domain and (name == portal or name.startswith(f"{portal}+")):
        return Own.PORTAL
    return None
