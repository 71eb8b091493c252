"""SendGrid's `/v3/suppression/*` and `/v3/asm/*` over the suppression list.

What stands there because of a bounce is in `bounces`, too many that could have passed in `blocks`, complaints in
`spam_reports`, and who asked for no mail at all in `unsubscribes`; who asked for no operational or no marketing mail is
in group 1 or 2. `invalid_emails` is always empty: an address that cannot be one is refused at the door."""

import re
from typing import Any, Final
from uuid import UUID

import msgspec
from django.http import HttpResponse

from carepost.api import answers, sendgrid
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, Caller
from carepost.destinations.suppression_window import count, window
from carepost.destinations.suppressions import Suppressed
from carepost.tenancy.actions import suppression, suppression_many
from carepost.tenancy.permissions import Scope
from carepost.wire.rest import Fault

_PEOPLE: Final = ("unsubscribe", "request")
#: kind -> (reasons, scopes)
_KINDS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "bounces": (("bounce",), suppression.SCOPES),
    "blocks": (("soft-bounces",), suppression.SCOPES),
    "invalid_emails": ((), ()),
    "spam_reports": (("complaint",), suppression.SCOPES),
    "spam_report": (("complaint",), suppression.SCOPES),
    "unsubscribes": (_PEOPLE, (suppression.ALL,)),
}
#: id -> (name, what it is, scope)
_GROUPS: Final = {
    1: ("Operational mail", "Invoices, forms, and other mail about a visit", "operational"),
    2: ("Marketing", "Newsletters, invitations and campaigns", "marketing"),
}
_PAGE: Final = 500
#: addresses of one answer that SendGrid does not page; pages of one "delete all"
_WHOLE: Final = 20_000
_ROUNDS: Final = 20
_STATUS: Final = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_WHY: Final = "asked for through SendGrid's API"


class Delete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    delete_all: bool = False
    emails: tuple[str, ...] = ()


class Recipients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recipient_emails: tuple[str, ...]


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "DELETE"))
def kind(request: ApiRequest, kind: str) -> HttpResponse:
    reasons, scopes = _kind(kind)
    caller = request.caller
    if request.method == "DELETE":
        given = sendgrid.body(request, Delete)
        if given.delete_all == bool(given.emails):
            raise ProblemError(422, "invalid", "Give `delete_all` true, or the `emails` to take off the list.")
        addresses = None if given.delete_all else sendgrid.emails(given.emails, "emails")
        _off(caller, reasons, scopes, addresses)
        return HttpResponse(status=204)
    query = sendgrid.query(request, "start_time", "end_time", "limit", "offset", "email")
    if "%" in query["email"]:
        words = "Give the whole address: the list is kept under tokens, and knows no beginnings of addresses."
        raise ProblemError(422, "invalid", words, (Fault("/email", words),))
    found = window(
        caller.org, caller.actor, reasons=reasons, scopes=scopes,
        addresses=[sendgrid.email(query["email"])] if query["email"] else None,
        since=sendgrid.number(query, "start_time", most=10**11) * 1_000_000,
        until=_end(sendgrid.number(query, "end_time", most=10**11)),
        offset=sendgrid.number(query, "offset", most=10**7),
        limit=sendgrid.number(query, "limit", most=_PAGE, otherwise=_PAGE),
    )  # fmt: skip
    return answers.json([_entry(kind, row) for row in found])


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "DELETE"))
def one(request: ApiRequest, kind: str, email: str) -> HttpResponse:
    reasons, scopes = _kind(kind)
    caller, address = request.caller, sendgrid.email(email)
    if request.method == "DELETE":
        # SendGrid's own libraries name the address a second time here
        sendgrid.query(request, "email_address")
        return _gone(_off(caller, reasons, scopes, [address]))
    found = window(caller.org, caller.actor, reasons=reasons, scopes=scopes, addresses=[address])
    return answers.json([_entry(kind, row) for row in found])


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("POST",))
def everywhere(request: ApiRequest) -> HttpResponse:
    return _added(request, suppression.ALL)


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "DELETE"))
def everywhere_one(request: ApiRequest, email: str) -> HttpResponse:
    caller, address = request.caller, sendgrid.email(email)
    if request.method == "DELETE":
        return _gone(_off(caller, _PEOPLE, (suppression.ALL,), [address]))
    found = window(caller.org, caller.actor, reasons=_PEOPLE, scopes=(suppression.ALL,), addresses=[address])
    return answers.json({"recipient_email": found[0].address} if found else {})


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "POST"))
def groups(request: ApiRequest) -> HttpResponse:
    _no_more(request)
    wanted = request.GET.getlist("id")
    shown = [one for one in _GROUPS if not wanted or str(one) in wanted]
    return answers.json([_group(request.caller, one) for one in shown])


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "PATCH", "DELETE"))
def group(request: ApiRequest, group: int) -> HttpResponse:
    _no_more(request)
    _scope(group)
    return answers.json(_group(request.caller, group))


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("GET", "POST"))
def group_suppressions(request: ApiRequest, group: int) -> HttpResponse:
    scope = _scope(group)
    if request.method == "POST":
        return _added(request, scope)
    return answers.json([row.address for row in _whole(request.caller, (scope,))])


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("POST",))
def group_search(request: ApiRequest, group: int) -> HttpResponse:
    scope = _scope(group)
    given = sendgrid.emails(_recipients(request), "recipient_emails")
    found = window(request.caller.org, request.caller.actor, reasons=_PEOPLE, scopes=(scope,), addresses=given)
    return answers.json([row.address for row in found])


@sendgrid.offered(Scope.SUPPRESSIONS, methods=("DELETE",))
def group_one(request: ApiRequest, group: int, email: str) -> HttpResponse:
    return _gone(_off(request.caller, _PEOPLE, (_scope(group),), [sendgrid.email(email)]))


@sendgrid.offered(Scope.SUPPRESSIONS)
def of_groups(request: ApiRequest) -> HttpResponse:
    """Who left which group."""
    by_scope = {scope: (id_, name) for id_, (name, _, scope) in _GROUPS.items()}
    return answers.json(
        [
            {
                "email": row.address, "group_id": by_scope[row.scope][0], "group_name": by_scope[row.scope][1],
                "created_at": row.at // 1_000_000,
            }
            for row in _whole(request.caller, tuple(by_scope))
        ]
    )  # fmt: skip


@sendgrid.offered(Scope.SUPPRESSIONS)
def of_address(request: ApiRequest, email: str) -> HttpResponse:
    caller, scopes = request.caller, tuple(scope for _, _, scope in _GROUPS.values())
    found = window(caller.org, caller.actor, reasons=_PEOPLE, scopes=scopes, addresses=[sendgrid.email(email)])
    left = {row.scope for row in found}
    return answers.json(
        {"suppressions": [_named(id_) | {"suppressed": scope in left} for id_, (_, _, scope) in _GROUPS.items()]}
    )


def _kind(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if kind not in _KINDS:
        raise ProblemError(404, "not-found", f"There are {', '.join(sorted(_KINDS))}.")
    return _KINDS[kind]


def _scope(group: int) -> str:
    if group not in _GROUPS:
        raise ProblemError(404, "not-found", "There are two groups here: 1, operational mail, and 2, marketing.")
    return _GROUPS[group][2]


def _no_more(request: ApiRequest) -> None:
    if request.method != "GET":
        words = "There are two groups here, 1, operational mail, and 2, marketing; they are neither made nor changed."
        raise ProblemError(422, "invalid", words)


def _entry(kind: str, row: Suppressed) -> dict[str, Any]:
    made: dict[str, Any] = {"created": row.at // 1_000_000, "email": row.address}
    if kind in ("bounces", "blocks"):
        status = _STATUS.search(row.note)
        made |= {"reason": row.note or _words(row.reason), "status": status[0] if status else ""}
    if kind.startswith("spam_report"):
        # who complained from where is never kept
        made["ip"] = ""
    return made


def _words(reason: str) -> str:
    return "The address is no good." if reason == "bounce" else "Too much mail to this address was turned away."


def _named(id_: int) -> dict[str, Any]:
    name, description, _ = _GROUPS[id_]
    return {"id": id_, "name": name, "description": description, "is_default": False}


def _group(caller: Caller, id_: int) -> dict[str, Any]:
    left = count(caller.org, caller.actor, reasons=_PEOPLE, scopes=(_GROUPS[id_][2],))
    return _named(id_) | {"last_email_sent_at": None, "unsubscribes": left}


def _whole(caller: Caller, scopes: tuple[str, ...]) -> list[Suppressed]:
    found: list[Suppressed] = []
    while len(found) % 1000 == 0:
        page = window(caller.org, caller.actor, reasons=_PEOPLE, scopes=scopes, offset=len(found), limit=1000)
        found += page
        if not page:
            break
        if len(found) >= _WHOLE:
            words = f"More than {_WHOLE} addresses: use GET /api/v1/suppressions/export."
            raise ProblemError(422, "too-many", words)
    return found


def _recipients(request: ApiRequest) -> tuple[str, ...]:
    given = sendgrid.body(request, Recipients).recipient_emails
    if not 1 <= len(given) <= suppression_many.MOST:
        words = f"Give 1 to {suppression_many.MOST} addresses."
        raise ProblemError(422, "invalid", words, (Fault("/recipient_emails", words),))
    return given


def _added(request: ApiRequest, scope: str) -> HttpResponse:
    caller, given = request.caller, sendgrid.emails(_recipients(request), "recipient_emails")
    wanted = [suppression.wanted(one, "unsubscribe", scope=scope, source="api") for one in given]
    suppression_many.suppress_many(caller.org, wanted, actor=caller.actor)
    return answers.json({"recipient_emails": given}, 201)


def _off(caller: Caller, reasons: tuple[str, ...], scopes: tuple[str, ...], addresses: list[str] | None) -> int:
    """How many. Raises ProblemError where there are more than one call takes off."""
    org: UUID = caller.org
    if addresses is not None:
        return suppression_many.unsuppress_many(
            org, actor=caller.actor, reason=_WHY, reasons=reasons, scopes=scopes, addresses=addresses
        )
    done = 0
    for _ in range(_ROUNDS):
        off = suppression_many.unsuppress_many(org, actor=caller.actor, reason=_WHY, reasons=reasons, scopes=scopes)
        done += off
        if off < suppression_many.MOST:
            return done
    raise ProblemError(503, "more", f"{done} were taken off, and there are more: ask again.")


def _gone(gone: int) -> HttpResponse:
    if not gone:
        raise ProblemError(404, "not-found", "This address is not on this list.")
    return HttpResponse(status=204)


def _end(seconds: int) -> int:
    """Inclusive: to the end of that second."""
    return seconds * 1_000_000 + 999_999 if seconds else 0
