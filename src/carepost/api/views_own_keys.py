"""The organisation's own keys and its authority for machines: what there is, made, brought in, rotated, revoked.

Private parts and new authorities ask for a person with a second factor: no key of a program gets them, and the answer
says where they are had."""

import uuid
from typing import Final, NoReturn

from django.http import HttpResponse

from carepost.api import answers, asked
from carepost.api import shapes_own_keys as shapes
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.api.shapes_certificates import Why
from carepost.ground.errors import NotFound
from carepost.keyring import authorities, own_acts, own_export, own_select
from carepost.keyring.models import OwnKey
from carepost.policy.types import Method
from carepost.tenancy.permissions import Scope
from carepost.wire import ownkeys

_PARTS: Final = (own_select.CERTIFICATE, own_select.REQUEST)


@scoped(Scope.OWN_KEYS, methods=("GET", "POST"))
def own_keys(request: ApiRequest) -> HttpResponse:
    caller = request.caller
    if request.method == "POST":
        return answers.json(own_select.shown_of(_generated(request)), 201)
    query = asked.query(request, "cursor", "limit")
    page = own_select.own_keys(
        caller.org, caller.actor, after=asked.cursor(query["cursor"]), limit=asked.limit(query["limit"])
    )
    return answers.json(ownkeys.OwnKeys(page.keys, page.cursor))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def import_(request: ApiRequest) -> HttpResponse:
    given = asked.body(request, shapes.ImportOwnKey)
    taken = own_acts.import_key(
        request.caller.org, given.file, given.passphrase, actor=request.caller.actor, reason=given.reason,
        address=given.address, shared=given.shared, former=given.former, always=given.always, dry_run=given.dry_run,
        overlap=given.overlap,
    )  # fmt: skip
    return answers.json(taken, 200 if given.dry_run else 201)


@scoped(Scope.OWN_KEYS)
def own_key(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    asked.query(request)
    return answers.json(own_select.own_key(request.caller.org, request.caller.actor, key))


@scoped(Scope.OWN_KEYS)
def public(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    part = asked.query(request, "part")["part"] or own_select.CERTIFICATE
    if part not in _PARTS:
        raise ProblemError(422, "invalid", "`part` is certificate or request.")
    found = own_select.public_part(request.caller.org, request.caller.actor, key, part)
    return answers.json(ownkeys.PublicPart(found.name, found.data.decode("ascii")))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def rotate(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    """Answers the new key."""
    given, caller = asked.body(request, shapes.RotateOwnKey), request.caller
    if given.certified_by == "authority":
        row = authorities.rotate_key(
            caller.org, key, actor=caller.actor, reason=given.reason, algorithm=given.algorithm, days=given.days,
            overlap=given.overlap,
        )  # fmt: skip
    else:
        row = own_acts.rotate_key(
            caller.org, key, actor=caller.actor, reason=given.reason, algorithm=given.algorithm, days=given.days,
            waiting=given.certified_by == "another", overlap=given.overlap,
        )  # fmt: skip
    return answers.json(own_select.shown_of(row), 201)


@scoped(Scope.OWN_KEYS, methods=("POST",))
def revoke(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.RevokeOwnKey)
    row = own_acts.revoke_key(
        request.caller.org, key, actor=request.caller.actor, reason=given.reason, cause=given.cause
    )
    return answers.json(own_select.shown_of(row))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def install(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.InstallOwnCertificate)
    row = own_acts.install_certificate(
        request.caller.org, key, given.certificate.encode(), actor=request.caller.actor, reason=given.reason,
        overlap=given.overlap,
    )  # fmt: skip
    return answers.json(own_select.shown_of(row))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def certify(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.CertifyOwnKey)
    row = authorities.certify_key(
        request.caller.org, key, actor=request.caller.actor, reason=given.reason, days=given.days,
        overlap=given.overlap,
    )  # fmt: skip
    return answers.json(own_select.shown_of(row))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def sign_all(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    given = asked.body(request, shapes.SignAll)
    row = own_acts.set_always(
        request.caller.org, key, given.always, actor=request.caller.actor, reason=given.reason
    )  # fmt: skip
    return answers.json(own_select.shown_of(row))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def keep_in(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    given = asked.body(request, Why)
    own_export.keep_in(request.caller.org, key, actor=request.caller.actor, reason=given.reason)
    return answers.json(own_select.own_key(request.caller.org, request.caller.actor, key))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def take_out(request: ApiRequest, key: uuid.UUID) -> HttpResponse:
    _person("A private key leaves only through the console, page Our keys, for a person who shows a second factor.")


@scoped(Scope.OWN_KEYS, methods=("GET", "POST"))
def authorities_(request: ApiRequest) -> HttpResponse:
    if request.method == "POST":
        _person(
            "An authority is made by a person: in the console, page Our keys, with a second factor; or on the machine "
            "itself by carepost authority make."
        )
    asked.query(request)
    return answers.json(ownkeys.OwnAuthorities(_authorities(request)))


@scoped(Scope.OWN_KEYS)
def authority(request: ApiRequest, authority: uuid.UUID) -> HttpResponse:
    asked.query(request)
    return _one(request, authority)


@scoped(Scope.OWN_KEYS)
def authority_certificate(request: ApiRequest, authority: uuid.UUID) -> HttpResponse:
    asked.query(request)
    found = authorities.certificate(request.caller.org, request.caller.actor, authority)
    return answers.json(ownkeys.PublicPart(found.name, found.data.decode("ascii")))


@scoped(Scope.OWN_KEYS, methods=("POST",))
def authority_list(request: ApiRequest, authority: uuid.UUID) -> HttpResponse:
    authorities.sign_list(request.caller.org, authority, actor=request.caller.actor)
    return _one(request, authority)


@scoped(Scope.OWN_KEYS, methods=("POST",))
def authority_end(request: ApiRequest, authority: uuid.UUID) -> HttpResponse:
    given = asked.body(request, Why)
    authorities.end_authority(request.caller.org, authority, actor=request.caller.actor, reason=given.reason)
    return _one(request, authority)


def _generated(request: ApiRequest) -> OwnKey:
    given, caller = asked.body(request, shapes.GenerateOwnKey), request.caller
    if given.certified_by == "authority":
        if given.method != Method.SMIME.value:
            raise ProblemError(422, "invalid", "An authority certifies S/MIME keys; OpenPGP keys certify themselves.")
        return authorities.generate_key(
            caller.org, given.address, actor=caller.actor, reason=given.reason, shared=given.shared,
            algorithm=given.algorithm, name=given.name, days=given.days, always=given.always, overlap=given.overlap,
        )  # fmt: skip
    return own_acts.generate_key(
        caller.org, given.address, method=Method(given.method), actor=caller.actor, reason=given.reason,
        shared=given.shared, algorithm=given.algorithm, name=given.name, days=given.days,
        waiting=given.certified_by == "another", always=given.always, overlap=given.overlap,
    )  # fmt: skip


def _authorities(request: ApiRequest) -> tuple[ownkeys.OwnAuthority, ...]:
    return authorities.authorities(request.caller.org, request.caller.actor)


def _one(request: ApiRequest, authority: uuid.UUID) -> HttpResponse:
    found = next((one for one in _authorities(request) if one.id == str(authority)), None)
    if found is None:
        raise NotFound("There is no such authority.")
    return answers.json(found)


def _person(why: str) -> NoReturn:
    raise ProblemError(403, "person-needed", why)
