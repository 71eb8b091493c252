"""A link to unsubscribe (RFC 8058): GET shows a page and does nothing, POST acts, without cookie, sign-in or redirect.

The link names a delivery and is signed; who it was for is not said here, and not known here. What the recipient wants
leaves as an event, and the journal puts the address on the list: what faces outside changes nothing an engine
believes."""

import uuid
from collections import OrderedDict

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from carepost.crypto import delivery_token
from carepost.ground import clock
from carepost.ground.errors import CarepostError
from carepost.proof import kinds
from carepost.tenancy import events, keys, scope
from carepost.tenancy.gates import open_to_all

#: links that acted a moment ago: asked again, the answer is the same and nothing more is written
_REMEMBERED = 10_000
_AGAIN_US = 3_600_000_000
_done: "OrderedDict[tuple[uuid.UUID, bytes], int]" = OrderedDict()


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_to_all("the link is its own proof: it names one delivery and is signed")
def unsubscribe(request: HttpRequest, org: uuid.UUID, token: str) -> HttpResponse:
    delivery = _delivery(org, token)
    if delivery is None:
        return _page(request, "wrong", 404)
    if request.method != "POST":
        return _page(request, "ask", 200)
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return _page(request, "ask", 400)
    _act(org, delivery)
    return _page(request, "done", 200)


def _page(request: HttpRequest, state: str, status: int) -> HttpResponse:
    response = render(request, "public/unsubscribe.html", {"state": state}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _delivery(org: uuid.UUID, token: str) -> bytes | None:
    number = delivery_token.number_of(token)
    if not number:
        return None
    try:
        with scope.organisation(org), transaction.atomic():
            key = keys.version(org, "index", number)
    except CarepostError:
        return None
    return delivery_token.delivery_of(key, delivery_token.UNSUBSCRIBE, org.bytes, token)


def _act(org: uuid.UUID, delivery: bytes) -> None:
    now = clock.now()
    if now - _done.get((org, delivery), -_AGAIN_US) < _AGAIN_US:
        return
    with scope.organisation(org), transaction.atomic():
        about = str(uuid.UUID(bytes=delivery))
        draft, openings = kinds.make(
            kinds.UNSUBSCRIBED, id=events.new_id(), org=str(org), at=now, actor=("recipient", about), on=[about]
        )
        events.append(draft, openings)
        # COMMIT POINT: before it nothing was asked; after it the journal carries it out, as often as it takes
    _done[org, delivery] = now
    while len(_done) > _REMEMBERED:
        _done.popitem(last=False)
