"""Webhooks of an organisation, as its machines keep them: made, changed, paused, tested, replayed, and their log.

What lets an endpoint be told what is personal, an agreement, only a person can record."""

from uuid import UUID

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_webhooks as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.ground import clock, ids
from carepost.tenancy.permissions import Scope
from carepost.webhooks import acts, filters, select
from carepost.webhooks.acts import Made
from carepost.webhooks.calls.rows import Try
from carepost.webhooks.filters import Filter
from carepost.webhooks.select import Shown


@scoped(Scope.WEBHOOKS, methods=("GET", "POST"))
def webhooks(request: ApiRequest) -> HttpResponse:
    org, actor = request.caller.org, request.caller.actor
    if request.method == "POST":
        given = asked.body(request, shapes.AddWebhook)
        made = acts.add_endpoint(
            org, given.url, actor=actor, name=given.name, format=given.format,
            filter=Filter(given.events, given.categories, given.tags, given.domains),
        )  # fmt: skip
        return answers.json(_new(made), 201)
    rows = select.endpoints(org, actor, now=clock.now())
    return answers.json(shapes.Webhooks(tuple(_shown(row) for row in rows), filters.offered()))


@scoped(Scope.WEBHOOKS, methods=("GET", "PATCH", "DELETE"))
def webhook(request: ApiRequest, webhook: UUID) -> HttpResponse:
    org, actor = request.caller.org, request.caller.actor
    if request.method == "DELETE":
        acts.remove_endpoint(org, webhook, actor=actor)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        given = asked.body(request, shapes.ChangeWebhook)
        now = select.endpoint(org, actor, webhook, now=clock.now())
        acts.change_endpoint(
            org, webhook, actor=actor, url=given.url, name=given.name, format=given.format,
            filter=_changed(now.filter, given),
        )  # fmt: skip
    return answers.json(_shown(select.endpoint(org, actor, webhook, now=clock.now())))


@scoped(Scope.WEBHOOKS, methods=("POST",))
def rotate(request: ApiRequest, webhook: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Rotate)
    made = acts.rotate_secret(
        request.caller.org, webhook, actor=request.caller.actor, overlap=given.overlap_hours
    )  # fmt: skip
    return answers.json(_new(made), 201)


@scoped(Scope.WEBHOOKS, methods=("POST",))
def pause(request: ApiRequest, webhook: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Pause)
    acts.pause(request.caller.org, webhook, actor=request.caller.actor, reason=given.reason)
    return _now(request, webhook)


@scoped(Scope.WEBHOOKS, methods=("POST",))
def resume(request: ApiRequest, webhook: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Resume)
    acts.resume(request.caller.org, webhook, actor=request.caller.actor, catch_up=given.catch_up)
    return _now(request, webhook)


@scoped(Scope.WEBHOOKS, methods=("POST",))
def test(request: ApiRequest, webhook: UUID) -> HttpResponse:
    event = acts.test(request.caller.org, webhook, actor=request.caller.actor)
    return answers.json(shapes.Asked(True, str(event)), 202)


@scoped(Scope.WEBHOOKS, methods=("POST",))
def replay(request: ApiRequest, webhook: UUID) -> HttpResponse:
    given = asked.body(request, shapes.Replay)
    if (given.event is None) == (not given.since) or (given.event is not None and given.until):
        raise ProblemError(422, "invalid", "Give `event`, or `since` with or without `until`.")
    acts.replay(
        request.caller.org, webhook, actor=request.caller.actor, event=given.event or "",
        since=asked.time(given.since, "since"), until=asked.time(given.until, "until"),
    )  # fmt: skip
    return answers.json(shapes.Asked(True, given.event or ""), 202)


@scoped(Scope.WEBHOOKS)
def deliveries(request: ApiRequest, webhook: UUID) -> HttpResponse:
    given = asked.query(request, "result", "event", "cursor", "limit")
    found, cursor = select.deliveries(
        request.caller.org, request.caller.actor, webhook, result=given["result"], event=given["event"],
        cursor=given["cursor"], limit=asked.limit(given["limit"]),
    )  # fmt: skip
    return answers.json(shapes.WebhookTries(tuple(_try(one) for one in found), cursor))


def _now(request: ApiRequest, webhook: UUID) -> HttpResponse:
    return answers.json(_shown(select.endpoint(request.caller.org, request.caller.actor, webhook, now=clock.now())))


def _changed(now: Filter, given: shapes.ChangeWebhook) -> Filter | None:
    parts = (given.events, given.categories, given.tags, given.domains)
    if all(part is None for part in parts):
        return None
    return Filter(
        now.events if given.events is None else given.events,
        now.categories if given.categories is None else given.categories,
        now.tags if given.tags is None else given.tags,
        now.domains if given.domains is None else given.domains,
    )


def _new(made: Made) -> shapes.NewSecret:
    return shapes.NewSecret(str(made.endpoint), made.secret, made.public, made.sendgrid)


def _shown(row: Shown) -> shapes.Webhook:
    calls = row.calls
    return shapes.Webhook(
        row.id, row.url, row.name, row.format, row.filter.events, row.filter.categories, row.filter.tags,
        row.filter.domains, row.state, row.cause, row.agreement is not None,
        tuple(shapes.WebhookKey(key.made_at, key.ends_at, key.public, key.sendgrid) for key in row.keys),
        shapes.WebhookCalls(
            calls.good_at, calls.tried_at, calls.status, calls.code, calls.failing_since, calls.not_before, row.waiting
        ),
        row.created_at, row.changed_at,
    )  # fmt: skip


def _try(one: Try) -> shapes.WebhookTry:
    return shapes.WebhookTry(
        ids.text(one.id), ids.text(one.event), one.kind, ids.text(one.message) if one.message else "", one.at,
        one.number, one.result, one.status, one.code, one.took_ms, one.said,
    )  # fmt: skip
