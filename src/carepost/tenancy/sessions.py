"""Staff sessions on the server's side: idle log-off (HS-33, N-03), and no page before a second factor (HS-37)."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import ResolverMatch

from carepost.ground import clock
from carepost.tenancy import scope
from carepost.tenancy.gates import Desk
from carepost.tenancy.models import Membership, Organisation, Staff
from carepost.tenancy.permissions import Role, permissions_of_roles

#: seconds without a request after which a session ends; the shortest of a person's roles counts
IDLE: dict[str, int] = {Role.ADMINISTRATOR: 900, Role.OPERATOR: 1800, Role.AUDITOR: 1800, Role.SENDER: 1800}
_IDLE_OTHERS = 900
#: N-03: a session ends after this many seconds whatever the activity
LONGEST = 86_400

_SEEN, _BEGAN, _ORGANISATION = "seen", "began", "organisation"
#: allauth's own pages: the only ones before a second factor stands
_ACCOUNT_PAGES = ("account_", "mfa_")
ENROL = "mfa_index"


class StaffSession:
    """Middleware: gives the request a `desk` (or None), logs idle sessions off, sends people without a second factor
    to enrol one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.desk = self._desk(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        if not request.user.is_authenticated or has_second_factor(request.user):
            return None
        match: ResolverMatch | None = request.resolver_match
        name = (match.url_name or "") if match is not None else ""
        if name.startswith(_ACCOUNT_PAGES):
            return None
        request.desk = None  # type: ignore[attr-defined]
        return redirect(ENROL)

    def _desk(self, request: HttpRequest) -> Desk | None:
        staff = request.user
        if not isinstance(staff, Staff) or not staff.is_active:
            return None
        with scope.every("a person's organisations are known only after their memberships were read"):
            chosen = _choose(request, staff)
        if chosen is None or _ended(request, chosen.roles):
            logout(request)
            return None
        return chosen


def factor_at(request: HttpRequest) -> int:
    """When this session last showed a second factor, UTC microseconds; 0: not that anybody knows."""
    records = get_authentication_records(request, request.user)
    shown = [record["at"] for record in records if record.get("method") == "mfa"]
    return int(max(shown) * 1_000_000) if shown else 0


def has_second_factor(staff: object, *, before: float | None = None) -> bool:
    """`before`: one that stood at that time already, seconds since 1970."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    if not isinstance(staff, Staff):
        return False
    found = Authenticator.objects.filter(user=staff, type__in=kinds)
    if before is not None:
        found = found.filter(created_at__lt=datetime.fromtimestamp(before, UTC))
    return bool(found.exists())


def begin(request: HttpRequest) -> None:
    """Both clocks of a session start when it is opened, whether or not a page is ever asked for."""
    request.session[_SEEN] = request.session[_BEGAN] = clock.now() // 1_000_000


def choose_organisation(request: HttpRequest, org: uuid.UUID) -> None:
    """From now on this session works in `org`; a session of somebody who is no member there keeps what it had."""
    request.session[_ORGANISATION] = str(org)


def _choose(request: HttpRequest, staff: Staff) -> Desk | None:
    live = Membership.objects.filter(staff=staff, revoked_at=0, org__closed_at=0).order_by("granted_at")
    roles: dict[uuid.UUID, set[str]] = {}
    for org, role in live.values_list("org_id", "role"):
        roles.setdefault(org, set()).add(role)
    if not roles:
        return None
    wanted = request.session.get(_ORGANISATION, "")
    org = next((one for one in roles if str(one) == wanted), next(iter(roles)))
    mine = frozenset(roles[org])
    return Desk(staff, Organisation.objects.get(pk=org), mine, permissions_of_roles(mine))


def _ended(request: HttpRequest, roles: frozenset[str]) -> bool:
    now = clock.now() // 1_000_000
    if _BEGAN not in request.session:
        begin(request)
    seen, began = request.session.get(_SEEN, now), request.session[_BEGAN]
    allowed = min((IDLE.get(role, _IDLE_OTHERS) for role in roles), default=_IDLE_OTHERS)
    if now - seen > allowed or now - began > LONGEST:
        return True
    # written at most once a minute: every page would be a write otherwise. What a page asks by itself while nobody is
    # there does not keep its session open
    if now - seen >= 60 and request.headers.get("X-Carepost-Idle") != "1":
        request.session[_SEEN] = now
    return False
