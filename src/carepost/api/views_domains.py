"""Sender domains for machines: records beside what DNS says, DKIM keys that change, the MTA-STS policy served."""

import re

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_domains as shapes
from carepost.api.gate import ApiRequest, scoped
from carepost.mailbox import door
from carepost.senders import acts, history, looking, reading, rotation, settings
from carepost.tenancy.actions import dkim_keys
from carepost.tenancy.permissions import Scope


@scoped(Scope.DOMAINS, methods=("GET", "PATCH"))
def domain(request: ApiRequest, domain: str) -> HttpResponse:
    """By the newest look; DNS is asked by `check`."""
    if request.method == "PATCH":
        given = asked.body(request, shapes.ChangeDomain)
        acts.schedule(
            request.caller.org, domain, actor=request.caller.actor, rotate_days=given.rotate_days,
            keep_days=given.keep_days,
        )  # fmt: skip
    return answers.json(_view(request, domain))


@scoped(Scope.DOMAINS, methods=("GET",))
def over_time(request: ApiRequest, domain: str) -> HttpResponse:
    """How it stood day by day, and what changed."""
    given = asked.query(request, "days")["days"]
    if given and (not re.fullmatch(r"[0-9]{1,3}", given) or not 1 <= int(given) <= history.MOST_DAYS):
        raise answers.ProblemError(422, "invalid", f"`days` is a number from 1 to {history.MOST_DAYS}.")
    found = history.history(
        request.caller.org, request.caller.actor, domain, days=int(given) if given else history.DAYS
    )
    return answers.json(shapes.DomainHistory(found.row.domain, found.days, found.changes, found.more))


@scoped(Scope.DOMAINS, methods=("POST",))
def check(request: ApiRequest, domain: str) -> HttpResponse:
    row = settings.domain(request.caller.org, domain)
    looking.look(request.caller.org, row, door.client().ask, actor=request.caller.actor)
    return answers.json(_view(request, domain))


@scoped(Scope.DOMAINS, methods=("POST",))
def keys(request: ApiRequest, domain: str) -> HttpResponse:
    given = asked.body(request, shapes.NextKeys)
    dkim_keys.make_next(request.caller.org, domain, actor=request.caller.actor, algorithms=given.algorithms)
    return answers.json(_signing(request, domain), 201)


@scoped(Scope.DOMAINS, methods=("POST",))
def switch(request: ApiRequest, domain: str) -> HttpResponse:
    rotation.switch(request.caller.org, domain, door.client().ask, actor=request.caller.actor)
    return answers.json(_signing(request, domain))


@scoped(Scope.DOMAINS, methods=("POST",))
def revoke(request: ApiRequest, domain: str, selector: str) -> HttpResponse:
    given = asked.body(request, shapes.RevokeKey)
    dkim_keys.revoke(request.caller.org, domain, selector, actor=request.caller.actor, reason=given.reason)
    return answers.json(_signing(request, domain))


@scoped(Scope.DOMAINS, methods=("PUT",))
def policy(request: ApiRequest, domain: str) -> HttpResponse:
    given = asked.body(request, shapes.ServePolicy)
    acts.serve_policy(
        request.caller.org, domain, actor=request.caller.actor, mode=given.mode, mx=given.mx, max_age=given.max_age
    )
    return answers.json(_view(request, domain))


def _view(request: ApiRequest, domain: str) -> shapes.DomainView:
    page = reading.page(request.caller.org, request.caller.actor, domain)
    return shapes.DomainView(
        page.row.domain, page.look.at, page.wrong, page.look.lines, page.keys, page.rules, page.chosen.rotate_days,
        page.chosen.keep_days, page.chosen.sts_mode,
    )  # fmt: skip


def _signing(request: ApiRequest, domain: str) -> shapes.Signing:
    page = reading.page(request.caller.org, request.caller.actor, domain)
    return shapes.Signing(page.row.domain, page.keys)
