"""Every view says who may come in: `@permission(P)` for staff, `@open_to_all(why)` for the few others.

`tests/floors` walks all URL patterns and fails for a view that says neither. Who is not signed in is sent to do so; a
member of another organisation, or one without the permission, gets the answer of a page that is not there (law 7).
"""

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from carepost.tenancy import scope
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Desk:
    """Who sits there: set by `tenancy.sessions.StaffSession` on a request of staff that may go on."""

    staff: Staff
    organisation: Organisation
    roles: frozenset[str]
    permissions: frozenset[Permission]

    @property
    def org(self) -> uuid.UUID:
        return self.organisation.pk

    @property
    def actor(self) -> Actor:
        return Actor("staff", str(self.staff.pk))

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


class StaffRequest(HttpRequest):
    """What a view behind `@permission` is given."""

    desk: Desk


def permission(
    needed: Permission, *, signed_out: Callable[[HttpRequest], HttpResponseBase | None] | None = None
) -> Callable[[View], View]:
    """`signed_out`: answers somebody who is not signed in, where sign-in would lose what they wrote; None: sign-in."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            desk = cast(Desk | None, getattr(request, "desk", None))
            if desk is None and not request.user.is_authenticated:
                answer = signed_out(request) if signed_out is not None else None
                return answer if answer is not None else _to_sign_in(request)
            if desk is None or not desk.may(needed):
                raise Http404
            with scope.organisation(desk.org):
                return view(request, *args, **kwargs)

        gated.carepost_gate = needed.value  # type: ignore[attr-defined]
        return gated

    return decorate


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Nobody is signed in, or the session has just ended: back here afterwards, unless something was being sent."""
    wanted = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    answer = redirect_to_login(wanted)
    if request.headers.get("HX-Request"):
        # a fragment cannot become the sign-in page: the whole page goes there
        return HttpResponse(status=204, headers={"HX-Redirect": answer.url})
    return answer


def open_to_all(why: str) -> Callable[[View], View]:
    """For views that need no member of staff: sign-in, portal, health, public pages. They guard themselves."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        gated.carepost_gate = f"open: {why}"  # type: ignore[attr-defined]
        return gated

    return decorate
