"""What a search of the API asks for, as the archive understands it. Messages and jobs ask alike."""

from carepost.api import asked, shapes
from carepost.api.answers import ProblemError
from carepost.archive.search import Wanted


def wanted(given: shapes.Wanted) -> Wanted:
    """Raises ProblemError 422."""
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
    )


def state(text: str) -> str:
    if text and text not in shapes.STATES:
        raise ProblemError(422, "invalid", f"`state` is one of: {', '.join(sorted(shapes.STATES))}.")
    return text
