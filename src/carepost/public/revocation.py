"""Lists of what organisations' own authorities took back, and these authorities' certificates (RFC 5280 4.2.1.13,
4.2.2.1): `/ca/<organisation>/<authority>.crl` and `.cer`, at any host that leads here, also without TLS. Nothing is
signed here: the lists lie ready."""

import re
import uuid
from collections.abc import Callable
from typing import Final, cast

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from carepost.ground import log
from carepost.keyring.models import AuthorityList
from carepost.tenancy import scope
from carepost.tenancy.gates import open_to_all

PATH: Final = "/ca/"
_ID: Final = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_NAME: Final = re.compile(rf"{PATH}{_ID}/{_ID}\.(crl|cer)")
_TYPES: Final = {"crl": "application/pkix-crl", "cer": "application/pkix-cert"}
_PLAIN: Final = "text/plain; charset=utf-8"


class AtAnyHost:
    """Middleware, before hosts are compared with our own: the address stands in certificates, and an organisation may
    lead a name of its own here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, published(request)) if request.path_info.startswith(PATH) else self._next(request)


@require_safe
@open_to_all("lists of revoked certificates are made to be fetched by everybody; they hold numbers alone")
def published(request: HttpRequest, rest: str = "") -> HttpResponse:
    """`rest`: of the path, which is read whole."""
    named = _NAME.fullmatch(request.path_info)
    if named is None:
        return _nothing()
    org, authority, part = uuid.UUID(named[1]), uuid.UUID(named[2]), named[3]
    try:
        with scope.organisation(org), transaction.atomic():
            row = AuthorityList.objects.filter(org_id=org, pk=authority).first()
    except DatabaseError as error:
        # others keep to the list they have
        log.failure("revocation-list-unreadable", error)
        return HttpResponse("Not now.\n", status=503, content_type=_PLAIN)
    if row is None:
        return _nothing()
    response = HttpResponse(bytes(row.crl if part == "crl" else row.der), content_type=_TYPES[part])
    # what was taken back is known to those who ask within the hour
    response["Cache-Control"] = "public, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _nothing() -> HttpResponse:
    return HttpResponse("There is nothing here.\n", status=404, content_type=_PLAIN)
