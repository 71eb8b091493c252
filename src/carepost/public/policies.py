"""MTA-STS policies of sender domains (RFC 8461 3.3): `https://mta-sts.<domain>/.well-known/mta-sts.txt`.

The host's name says which one; it is served while the domain belongs to the organisation that chose the policy. At such
a host nothing else is answered. Which domains there are is told to nobody who does not name one."""

from collections.abc import Callable
from typing import Final, cast

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from carepost.ground import log
from carepost.senders.models import StsPolicy
from carepost.tenancy.gates import open_to_all
from carepost.tenancy.models import DomainClaim

PATH: Final = "/.well-known/mta-sts.txt"
_PREFIX: Final = "mta-sts."
_PLAIN: Final = "text/plain; charset=utf-8"


class AtPolicyHosts:
    """Middleware, before hosts are compared with our own: these are names of organisations."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, policy(request)) if request.path_info == PATH else self._next(request)


@require_safe
@open_to_all("a policy is made to be fetched by every mail server")
def policy(request: HttpRequest) -> HttpResponse:
    host = str(request.META.get("HTTP_HOST", "")).partition(":")[0].rstrip(".").lower()
    if not host.startswith(_PREFIX) or len(host) > 255:
        return HttpResponse("There is no policy here.\n", status=404, content_type=_PLAIN)
    try:
        found = StsPolicy.objects.filter(domain=host.removeprefix(_PREFIX)).first()
        owned = found is not None and DomainClaim.objects.filter(domain=found.domain, owner=found.owner).exists()
    except DatabaseError as error:
        # others keep to the policy they remember
        log.failure("sts-policy-unreadable", error)
        return HttpResponse("Not now.\n", status=503, content_type=_PLAIN)
    if found is None or not owned:
        return HttpResponse("There is no policy here.\n", status=404, content_type=_PLAIN)
    response = HttpResponse(found.text, content_type=_PLAIN)
    response["Cache-Control"] = "public, max-age=300"
    return response
