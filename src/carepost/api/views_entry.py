"""What needs no key: the OpenAPI document, the published keys of the logs, and the answer where there is nothing."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from carepost.api import answers
from carepost.api.openapi import document
from carepost.archive.store import store
from carepost.audit import reader
from carepost.proof import published
from carepost.tenancy.gates import open_to_all
from carepost.wire.faults import NOWHERE


@csrf_exempt
@open_to_all("the contract is public")
def openapi(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        said = answers.not_taken(("GET",))
        return answers.problem(said.status, said.code, said.detail)
    return answers.json(document())


@csrf_exempt
@open_to_all("log keys are published, so that strangers can verify proofs")
def log_keys(request: HttpRequest) -> HttpResponse:
    """One verifier key a line (C2SP), of every log of this installation; the earlier ones too (`proof.published`)."""
    log = store()
    page = published.page(reader.terms(log, org) for org in reader.organisations(log))
    return HttpResponse(page, content_type="text/plain; charset=utf-8")


@csrf_exempt
@open_to_all("says that there is nothing, to everybody alike")
def nothing(request: HttpRequest, **_path: str) -> HttpResponse:
    return answers.problem(404, "not-found", NOWHERE)
