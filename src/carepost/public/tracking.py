"""Tracked links and pictures: GET leads on, and is counted as a hit; it does nothing else (law 11).

Where a link leads stands sealed in the link itself: nothing of the request has a say in it, so that there is nothing
to redirect openly (BI-095). Address and user agent of whoever asks become features (`tracking.derive`) and are gone
with the request; they are written nowhere, not even into a log. Once an organisation's key is known here, links lead on
while the office's database is away."""

import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, cast

import msgspec
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from carepost.crypto import link_token
from carepost.crypto.digest import hmac_sha256
from carepost.crypto.link_token import Link, Use
from carepost.engagement import asking
from carepost.engagement.arriving import QUICK_US, SETTLE_US, Arrivals, Arrived
from carepost.engagement.tables import Tables
from carepost.ground import clock, entropy
from carepost.ground.errors import CarepostError
from carepost.rfc import links
from carepost.tenancy import keys, scope
from carepost.tenancy.gates import open_to_all
from carepost.tracking import types as tracking
from carepost.tracking.derive import derive
from carepost.tracking.types import Request, Role

#: seconds a link leads on after its copy was sent; a picture asked for later is not counted either
LIFE: Final = 400 * 86_400
#: wrong links one address may ask for in a minute, and addresses that are remembered (as keyed hashes)
WRONG: Final = 60
_REMEMBERED: Final = 10_000
_DAY_US: Final = 86_400_000_000
#: a transparent picture of one pixel
GIF: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
_TOKEN: Final = re.compile("[A-Za-z0-9_-]+")
#: headers of every answer: kept by nobody, found by no search engine, nothing told to where it leads
_HEADERS: Final = {
    "Cache-Control": "no-store, private, max-age=0",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    # pictures are shown on other origins' pages: those of webmail
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_SALT: Final = entropy.take(32)
#: an organisation nobody knows is asked for as long as one that is known
_NOBODYS: Final = entropy.take(32)


def _quick() -> bool:
    """In a sandbox home waits are seconds."""
    home = settings.CAREPOST_HOME
    return home is not None and bool(home.sandbox)


_ARRIVALS: Final = Arrivals(QUICK_US if _quick() else SETTLE_US)


class AtAnyHost:
    """Middleware, first of all: tracking hosts are names of organisations, and none of them is looked up. Nothing but
    the two paths is answered there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith("/c/"):
            return cast(HttpResponse, click(request, path[3:]))
        if path.startswith("/o/"):
            return cast(HttpResponse, picture(request, path[3:]))
        return self._next(request)


class _Found(msgspec.Struct, frozen=True):
    """A token that is ours. `altered`: the address around it is not."""

    org: bytes
    key: bytes
    link: Link
    altered: bool


@require_safe
@open_to_all("the link is its own proof: it names one copy and is sealed")
def click(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(request, "click", token)
    if found is None:
        return _wrong(request)
    _arrived(request, "click", found)
    # what was sealed was judged when it was sent, and is judged again; the hidden link leads nowhere
    target = links.web(found.link.target)
    if not target:
        return _wrong(request)
    response = HttpResponse(status=302, headers=_HEADERS)
    response["Location"] = target
    return response


@require_safe
@open_to_all("the picture's address is its own proof: it names one copy and is sealed")
def picture(request: HttpRequest, token: str) -> HttpResponse:
    found = _found(request, "open", token)
    if found is not None:
        _arrived(request, "open", found)
    # the same picture whatever came: a copy must not look broken, and nobody learns which addresses are ours
    return HttpResponse(GIF, content_type="image/gif", headers=_HEADERS)


def _found(request: HttpRequest, use: Use, given: str) -> _Found | None:
    """None: forged, over, of nobody we know, or of an address that tried too many. All take the same course."""
    begins = _TOKEN.match(given)
    token = begins[0] if begins is not None else ""
    head = link_token.head_of(token)
    if head is None or _TRIES.over(request):
        return None
    key = _KEYS.get(head.org, head.number)
    link = link_token.open_(key or _NOBODYS, use, token)
    if link is None or key is None:
        _TRIES.wrong(request)
        return None
    if link.made + LIFE <= clock.now() // 1_000_000:
        return None
    return _Found(head.org, key, link, token != given or bool(request.META.get("QUERY_STRING")))


def _arrived(request: HttpRequest, use: Use, found: _Found) -> None:
    now, link = clock.now(), found.link
    role: Role = "pixel" if use == "open" else "decoy" if link.decoy else "link"
    address, secure = asking.client(request)
    headers = ((name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers.items())
    asked = Request(
        kind=use, role=role, method=request.method or "", address=address, headers=tuple(headers),
        since=now - link.made * 1_000_000, day=now // _DAY_US, link=link.link, altered=found.altered,
        provisional=True, secure=secure,
    )  # fmt: skip
    salt = asking.salt(_KEYS.get(found.org, asking.SALTED) or found.key)
    seen = derive(asked, salt=salt, networks=_TABLES.of(found.org))
    alike = tracking.encode(msgspec.structs.replace(seen, since=0))
    mark = hmac_sha256(found.key, b"carepost tracking alike" + alike)[:8]
    _ARRIVALS.put(Arrived(found.org, link.delivery, link.links, link.with_decoy or link.decoy, now, seen, mark))


def _wrong(request: HttpRequest) -> HttpResponse:
    response = render(request, "public/link.html", {}, status=404)
    for name, value in _HEADERS.items():
        response[name] = value
    return response


class _Keys:
    """Organisations' index keys, by version: read once, so that links lead on while the database is away."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()

    def get(self, org: bytes, number: int) -> bytes | None:
        """None: there is no such key, or it cannot be read now."""
        known = self._known.get((org, number))
        if known is not None:
            return known
        owner = uuid.UUID(bytes=org)
        try:
            with scope.organisation(owner), transaction.atomic():
                key = keys.version(owner, "index", number)
        except (CarepostError, DatabaseError):
            return None
        self._known[org, number] = key
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return key


class _Tries:
    """Who asked for how many links that are none of ours this minute. Addresses are kept as hashes under a key of this
    process, for a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def over(self, request: HttpRequest) -> bool:
        with self._lock:
            self._turn()
            return bool(self._counts) and self._counts.get(self._name(request), 0) >= WRONG

    def wrong(self, request: HttpRequest) -> None:
        with self._lock:
            self._turn()
            name = self._name(request)
            if name in self._counts or len(self._counts) < _REMEMBERED:
                self._counts[name] = self._counts.get(name, 0) + 1

    def _turn(self) -> None:
        minute = clock.now() // 60_000_000
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()

    def _name(self, request: HttpRequest) -> bytes:
        return hmac_sha256(_SALT, asking.client(request)[0].encode())[:8]


_KEYS: Final = _Keys()
_TABLES: Final = Tables(1_000_000 if _quick() else 60_000_000)
_TRIES: Final = _Tries()
