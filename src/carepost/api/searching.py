"""What a search of the API asks for, as the archive understands it. Messages and jobs ask alike."""

import uuid

from carepost.api import asked, shapes
from carepost.api.answers import ProblemError
from carepost.archive.search import CONTENT, Wanted
from carepost.engagement import select as engagement


def wanted(org: uuid.UUID, given: shapes.Wanted) -> Wanted:
    """Raises ProblemError 422."""
    if any(one.value not in CONTENT for one in given.content):
        raise ProblemError(422, "invalid", f"`content` has any of: {', '.join(CONTENT)}.")
    opened, clicked = engagement.engaged(org, given.engaged) if given.engaged is not None else ((), ())
    return Wanted(
        recipient=given.recipient,
        sender=given.sender,
        subject=given.subject,
        message_id=given.message_id,
        tag=given.tag,
        state=state(given.state),
        since=asked.time(given.since, "since"),
        until=asked.time(given.until, "until"),
        domain=given.domain,
        provider=given.provider,
        method=given.method.value if given.method is not None else "",
        assurance=given.assurance.value if given.assurance is not None else "",
        category=given.category.value if given.category is not None else "",
        content=tuple(one.value for one in given.content),
        opened=opened,
        clicked=clicked,
    )


def state(text: str) -> str:
    if text and text not in shapes.STATES:
        raise ProblemError(422, "invalid", f"`state` is one of: {', '.join(sorted(shapes.STATES))}.")
    return text
