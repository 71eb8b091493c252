"""A report that came by mail, from its event into the table of reports."""

import msgspec

from carepost.crypto import rest
from carepost.destinations import reports
from carepost.ground import ids
from carepost.proof.event import Event
from carepost.queue.sealing import Opener, OrgKeyBook
from carepost.wire import reports as kept


def lay(book: OrgKeyBook, org: bytes, event: Event, sealed: bytes) -> None:
    """Carries out one `report.received`; done before, it does nothing. Raises Damaged, NotFound."""
    try:
        received = kept.decode(Opener(book).openings(org, event, sealed)["report"][1])
    except (KeyError, msgspec.MsgspecError):
        raise rest.Damaged("a report without its content") from None
    reports.keep(org, ids.parse(event.id), received)
