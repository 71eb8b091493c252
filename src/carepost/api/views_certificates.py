"""Recipients' certificates and keys for machines: what is known, added, vouched for, distrusted, renewed, in bulk."""

import uuid

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_certificates as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.keyring import acts, renewal, select
from carepost.tenancy.permissions import Scope


@scoped(Scope.CERTIFICATES, methods=("GET", "POST"))
def certificates(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        given = asked.body(request, shapes.AddCertificate)
        row = acts.add_key(
            caller.org, given.address, given.certificate.encode(), actor=caller.actor, reason=given.reason
        )
        return answers.json(select.shown(row), 201)
    query = asked.query(request, "cursor", "limit", "attention")
    if query["attention"] not in ("", "yes"):
        raise ProblemError(422, "invalid", "`attention` is yes, or left out.")
    page = select.listing(
        caller.org, caller.actor, after=asked.cursor(query["cursor"]), limit=asked.limit(query["limit"]),
        attention=bool(query["attention"]),
    )  # fmt: skip
    return answers.json(shapes.Certificates(page.keys, page.cursor))


@scoped(Scope.CERTIFICATES, methods=("POST",))
def search(request: ApiRequest) -> HttpResponse:
    """The address comes in the body: it never stands in a URL (law 10)."""
    given = asked.body(request, shapes.FindCertificates)
    return answers.json(shapes.Certificates(select.keys_of(request.caller.org, request.caller.actor, given.address)))


@scoped(Scope.CERTIFICATES)
def certificate(request: ApiRequest, certificate: uuid.UUID) -> HttpResponse:
    asked.query(request)
    return _one(request, certificate)


@scoped(Scope.CERTIFICATES, methods=("POST",))
def pin(request: ApiRequest, certificate: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.Why)
    acts.pin_key(request.caller.org, certificate, actor=request.caller.actor, reason=given.reason)
    return _one(request, certificate)


@scoped(Scope.CERTIFICATES, methods=("POST",))
def distrust(request: ApiRequest, certificate: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.Why)
    acts.distrust_key(request.caller.org, certificate, actor=request.caller.actor, reason=given.reason)
    return _one(request, certificate)


@scoped(Scope.CERTIFICATES, methods=("POST",))
def accept_renewed(request: ApiRequest, certificate: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.Why)
    renewal.accept(request.caller.org, certificate, actor=request.caller.actor, reason=given.reason)
    return _one(request, certificate)


@scoped(Scope.CERTIFICATES, methods=("POST",))
def import_(request: ApiRequest) -> HttpResponse:
    """One that is refused stops no other."""
    given = asked.body(request, shapes.ImportCertificates)
    done = acts.import_keys(
        request.caller.org, [(one.address, one.certificate.encode()) for one in given.certificates],
        actor=request.caller.actor, reason=given.reason, dry_run=given.dry_run,
    )  # fmt: skip
    results = tuple(
        shapes.ImportedCertificate(one.address, one.done, one.why, one.method, one.fingerprint, one.not_after)
        for one in done
    )
    return answers.json(shapes.ImportedCertificates(results, given.dry_run))


def _one(request: ApiRequest, certificate: uuid.UUID) -> HttpResponse:
    known = select.beside(request.caller.org, request.caller.actor, certificate)
    return answers.json(next(one for one in known if one.id == str(certificate)))
