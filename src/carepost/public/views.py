"""The public pages. No cookie is set, nothing is remembered of who asks."""

from django.db import DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from carepost.ground import log
from carepost.tenancy import scope
from carepost.tenancy.gates import open_to_all


@require_safe
@open_to_all("says what this host is, and nothing of anybody")
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "public/about.html", {})


@require_safe
@open_to_all("public keys: with them a stranger checks who signed a proof")
def log_keys(request: HttpRequest) -> HttpResponse:
    """C2SP verifier keys of the organisations' logs, one a line, oldest first: what `carepost verify --key` reads."""
    try:
        with (
            scope.every("verifier keys are public"),
            transaction.atomic(using="records"),
            connections["records"].cursor() as cursor,
        ):
            cursor.execute("SELECT vkey FROM audit_key ORDER BY at, vkey")
            keys = [str(row[0]) for row in cursor.fetchall()]
    except DatabaseError as error:
        # a fresh home has signed nothing yet, so there is no table
        log.failure("log-keys-unreadable", error)
        keys = []
    response = HttpResponse("".join(f"{key}\n" for key in keys), content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response
