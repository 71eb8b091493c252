"""Messages: lists, search, one with its deliveries, its proofs, taking it back."""

from uuid import UUID

from django.http import HttpResponse

from carepost.api import answers, asked, retracting, searching
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.api.shapes import Arrival, Arrivals, AskArrival, MessagePage, Retract, Search
from carepost.archive import arrivals
from carepost.archive import proof as proofs
from carepost.archive.access import access_message
from carepost.archive.search import Wanted, search
from carepost.tenancy.permissions import Scope


@scoped(Scope.SEARCH)
def messages(request: ApiRequest) -> HttpResponse:
    given = asked.query(request, "since", "until", "state", "tag", "cursor", "limit")
    if len(given["tag"]) > 128:
        raise ProblemError(422, "invalid", "A tag has 128 characters at most.")
    wanted = Wanted(
        tag=given["tag"],
        state=searching.state(given["state"]),
        since=asked.time(given["since"], "since"),
        until=asked.time(given["until"], "until"),
    )
    return _page(request, wanted, given["cursor"], asked.limit(given["limit"]))


@scoped(Scope.SEARCH, methods=("POST",))
def searched(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, Search)
    return _page(request, searching.wanted(request.caller.org, given), given.cursor, given.limit)


@scoped(Scope.MESSAGES, methods=("POST",))
def arrival(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, AskArrival)
    caller = request.caller
    found = arrivals.asked(
        caller.org.bytes, caller.actor, given.recipient, around=asked.time(given.around, "around"), days=given.days,
        subject=given.subject,
    )  # fmt: skip
    return answers.json(Arrivals(tuple(map(_arrival, found.answers)), found.more))


@scoped(Scope.MESSAGES)
def message(request: ApiRequest, message: UUID) -> HttpResponse:
    return answers.json(access_message(request.caller.org.bytes, message.bytes, request.caller.actor))


@scoped(Scope.PROOF)
def proof(request: ApiRequest, message: UUID) -> HttpResponse:
    caller = request.caller
    delivery = _delivery(asked.query(request, "delivery")["delivery"])
    made = proofs.build(caller.org.bytes, message.bytes, delivery.bytes, caller.actor)
    answer = HttpResponse(made, content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="carepost-proof.json"'
    return answer


@scoped(Scope.RETRACT, methods=("POST",))
def retract(request: ApiRequest, message: UUID) -> HttpResponse:
    given = asked.body(request, Retract)
    caller = request.caller
    chosen = tuple(UUID(delivery).bytes for delivery in given.deliveries)
    return answers.json(retracting.retract(caller.org.bytes, message.bytes, chosen, caller.actor, given.reason))


def _page(request: ApiRequest, wanted: Wanted, cursor: str, limit: int) -> HttpResponse:
    caller = request.caller
    page = search(caller.org.bytes, caller.actor, wanted, after=cursor, limit=limit)
    return answers.json(MessagePage(page.messages, page.cursor, page.back_to))


def _arrival(one: arrivals.Answer) -> Arrival:
    said = one.said
    return Arrival(
        one.message, one.delivery, one.at, one.state, said.verdict, said.headline, said.evidence, said.limits,
        said.next, said.at, f"/api/v1/messages/{one.message}/proof?delivery={one.delivery}",
    )  # fmt: skip


def _delivery(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ProblemError(422, "invalid", "Name the delivery: ?delivery=<its id>.") from None
