"""What an organisation's machines may read and change of it: domains, keys, and the log's events."""

from uuid import UUID

import msgspec
from django.http import HttpResponse

from carepost.api import answers, asked, shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.archive import acts as looking
from carepost.archive.store import store
from carepost.audit import reader
from carepost.directory import keywords
from carepost.jobs import rows
from carepost.proof import kinds
from carepost.tenancy import select
from carepost.tenancy.actions import access, domains
from carepost.tenancy.models import ApiKey, SenderDomain
from carepost.tenancy.permissions import Scope


@scoped(Scope.DOMAINS, methods=("GET", "POST"))
def domains_(request: ApiRequest) -> HttpResponse:
    org = request.caller.org
    if request.method == "POST":
        made = domains.add_domain(org, asked.body(request, shapes.AddDomain).domain, actor=request.caller.actor)
        return answers.json(_domain(made), 201)
    return answers.json(shapes.Domains(tuple(_domain(row) for row in select.domains(org))))


@scoped(Scope.KEYS, methods=("GET", "POST"))
def keys(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.AddKey)
        made = access.add_key(caller.org, given.name, given.scopes, actor=caller.actor, per_minute=given.per_minute)
        return answers.json(shapes.NewKey(made.id, made.secret), 201)
    found = [_key(row) for row in select.api_keys(caller.org)]
    return answers.json(shapes.Keys(tuple(found)))


@scoped(Scope.KEYS, methods=("PATCH", "DELETE"))
def key(request: ApiRequest, key: UUID) -> HttpResponse:
    if request.method == "PATCH":
        given = asked.body(request, shapes.LimitKey)
        access.limit_key(request.caller.org, key, given.per_minute, actor=request.caller.actor)
        return HttpResponse(status=204)
    access.revoke_key(request.caller.org, key, actor=request.caller.actor)
    return HttpResponse(status=204)


@scoped(Scope.EVENTS)
def events(request: ApiRequest) -> HttpResponse:
    """The organisation's log from a leaf on, as it was made. What is personal stays sealed, unless a key that may read
    messages asks for it: that is an event before it is shown."""
    given = asked.query(request, "cursor", "limit", "open")
    if given["open"] not in ("", "yes"):
        raise ProblemError(422, "invalid", "`open` is yes, or left out.")
    if given["open"] and Scope.MESSAGES not in request.caller.scopes:
        raise ProblemError(403, "scope", "To open what is personal, the key needs the scope messages too.")
    if given["cursor"] and not (given["cursor"].isascii() and given["cursor"].isdigit() and len(given["cursor"]) < 18):
        raise ProblemError(422, "bad-cursor", "This cursor is none of ours; begin without one.")
    limit = asked.limit(given["limit"])
    first = int(given["cursor"] or 0)
    found = reader.events_from(store(), request.caller.org.bytes, first, limit)
    # where one goes on who follows the log, at its end too
    following = str(found[-1].index + 1 if found else first)
    opened: list[dict[str, str]] = [{} for _ in found]
    if given["open"]:
        facts = {"count": str(len(found))}
        looking.record(kinds.EVENTS_OPENED, request.caller.org.bytes, request.caller.actor, facts=facts)
        opened = [rows.personal(request.caller.org.bytes, one) for one in found]
    shown = tuple(shapes.LoggedEvent(e.index, msgspec.Raw(e.raw), o) for e, o in zip(found, opened, strict=True))
    return answers.json(shapes.Events(shown, following if len(found) == limit else "", following))


def _domain(row: SenderDomain) -> shapes.Domain:
    records = [
        shapes.DkimRecord(f"{key.selector}._domainkey.{row.domain}", key.record)
        for key in row.dkim_keys.all()
        if not key.retired_at
    ]
    return shapes.Domain(row.domain, row.created_at, tuple(records))


def _key(row: ApiKey) -> shapes.Key:
    words = tuple(row.scopes.split())
    limit = keywords.limit_of(words)
    return shapes.Key(
        str(row.pk), row.name, keywords.without_limit(words), row.created_at, row.last_used_at, limit
    )  # fmt: skip
