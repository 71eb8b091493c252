"""The public pages. No cookie is set, nothing is remembered of who asks."""

from itertools import groupby

from django.db import DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from carepost.ground import log
from carepost.proof import published
from carepost.proof.published import Term
from carepost.tenancy import scope
from carepost.tenancy.gates import open_to_all


@require_safe
@open_to_all("says what this host is, and nothing of anybody")
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "public/about.html", {})


@require_safe
@open_to_all("public keys: with them a stranger checks who signed a proof")
def log_keys(request: HttpRequest) -> HttpResponse:
    """C2SP verifier keys of the organisations' logs, one a line, oldest first, with the terms in which they sign
    (`proof.published`): what `carepost verify --key` reads."""
    try:
        with (
            scope.every("verifier keys are public"),
            transaction.atomic(using="records"),
            connections["records"].cursor() as cursor,
        ):
            cursor.execute("SELECT org, vkey, since, at FROM audit_key ORDER BY org, since, at")
            rows = cursor.fetchall()
    except DatabaseError as error:
        # a fresh home has signed nothing yet, so there is no table
        log.failure("log-keys-unreadable", error)
        rows = []
    logs = (
        [Term(str(key), int(since), int(at)) for _, key, since, at in of]
        for _, of in groupby(rows, lambda row: bytes(row[0]))
    )
    response = HttpResponse(published.page(logs), content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response
