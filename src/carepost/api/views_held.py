"""What waits for a person: listed, released, refused. Approval that a rule asks of people, no key can give."""

from uuid import UUID

from django.http import HttpResponse

from carepost.api import answers, asked, shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.ground.errors import NotFound
from carepost.review import acts, held, words
from carepost.review.acts import Done
from carepost.review.held import Who
from carepost.tenancy.permissions import Scope
from carepost.wire.types import HeldFilter, HeldView

_CONFLICTS = {
    "barred": "needs-another",
    "late": "not-held",
    "not-stronger": "not-stronger",
    "not-awaited": "not-awaited",
}


@scoped(Scope.HELD)
def listing(request: ApiRequest) -> HttpResponse:
    given = asked.query(request, "kind", "cursor", "limit")
    if given["kind"] and given["kind"] not in words.KINDS:
        raise ProblemError(422, "invalid", f"`kind` is one of: {', '.join(sorted(words.KINDS))}.")
    page = held.listing(
        request.caller.org, _who(request), kind=given["kind"], cursor=given["cursor"], limit=asked.limit(given["limit"])
    )
    return answers.json(shapes.HeldPage(tuple(_held(view) for view in page.rows), page.cursor))


@scoped(Scope.HELD, methods=("POST",))
def searched(request: ApiRequest) -> HttpResponse:
    """By what must not stand in an address, besides."""
    given = asked.body(request, shapes.HeldSearch)
    if given.kind and given.kind not in words.KINDS:
        raise ProblemError(422, "invalid", f"`kind` is one of: {', '.join(sorted(words.KINDS))}.")
    only = HeldFilter(
        given.sender_domain,
        given.recipient_domain,
        asked.time(given.since, "since"),
        asked.time(given.until, "until"),
        given.rule,
        "" if given.releasable is None else "me" if given.releasable else "others",
    )
    page = held.listing(
        request.caller.org, _who(request), kind=given.kind, cursor=given.cursor, limit=given.limit, only=only
    )
    return answers.json(shapes.HeldPage(tuple(_held(view) for view in page.rows), page.cursor))


@scoped(Scope.HELD, methods=("POST",))
def release(request: ApiRequest, delivery: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Release)
    (done,) = acts.release(
        request.caller.org, _who(request), [delivery.bytes], reason=given.reason,
        method=given.method.value if given.method is not None else "",
    )  # fmt: skip
    return _decided(done)


@scoped(Scope.HELD, methods=("POST",))
def refuse(request: ApiRequest, delivery: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Refusal)
    (done,) = acts.refuse(
        request.caller.org, _who(request), [delivery.bytes], reason=given.reason, note=given.note
    )  # fmt: skip
    return _decided(done)


@scoped(Scope.HELD, methods=("POST",))
def agree(request: ApiRequest, delivery: UUID) -> HttpResponse:
    """What opens it in the portal. Never answered, kept as a slow hash alone."""
    given = asked.body(request, shapes.Agreement)
    access = given.access
    done = acts.agree(
        request.caller.org, _who(request), delivery.bytes, reason=given.reason, code=access.code,
        question=access.question, answer=access.answer,
    )  # fmt: skip
    return _decided(done)


def _who(request: ApiRequest) -> Who:
    return Who(request.caller.actor)


def _decided(done: Done) -> HttpResponse:
    """A second one is told again what it did itself; what another did is 409."""
    if done.code == "absent":
        raise NotFound
    if not done.good:
        raise ProblemError(409, _CONFLICTS[done.code], done.words)
    return answers.json(shapes.Decided(done.delivery, done.code, done.again))


def _held(view: HeldView) -> shapes.Held:
    return shapes.Held(
        id=view.id,
        message=view.message,
        kind=words.kind(view),
        since=view.since,
        until=view.until,
        then=view.then,
        sender=view.sender,
        recipient=view.recipient,
        subject=view.subject,
        reason=view.reason,
        words=view.words,
        rule=view.rule,
        approvals=view.approvals,
        approved=len(view.approved),
        releasable=not view.barred,
    )
