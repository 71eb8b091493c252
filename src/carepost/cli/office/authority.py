"""`carepost authority`, inside Django."""

import argparse
import sys
import uuid
from pathlib import Path

from carepost.cli.office import common, entry
from carepost.ground import durable
from carepost.keyring import authorities, issuing, own_acts, words
from carepost.keyring.models import OwnKey
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire.ownkeys import OwnAuthority


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        rows = [_row(one) for one in authorities.authorities(org, COMMAND_LINE)]
        return entry.show(rows, args, "The organisation has no authority of its own.")
    if args.verb == "make":
        made = authorities.make_authority(
            org, actor=COMMAND_LINE, reason=args.reason, algorithm=args.algorithm, where=args.where, days=args.days
        )
        sentence = (
            f"The authority is there, bound to {', '.join(issuing.domains_of(made))}. Its list: {made.where}.crl\n"
            f"Its certificate for partners: carepost authority export {made.pk} -o authority.pem"
        )
        fingerprint = issuing.own(made).fingerprint
        result = {"id": str(made.pk), "where": made.where, "fingerprint": fingerprint}
        return entry.done(sentence, result, args)
    if args.verb == "add-key":
        key = authorities.generate_key(
            org, args.address, actor=COMMAND_LINE, reason=args.reason, shared=args.shared, algorithm=args.algorithm,
            name=args.name, days=args.days, always=args.sign_all,
        )  # fmt: skip
        return _certified(key, args)
    if args.verb == "certify":
        named = common.identifier(args.key, "a key")
        key = authorities.certify_key(org, named, actor=COMMAND_LINE, reason=args.reason, days=args.days)
        return _certified(key, args)
    authority = common.identifier(args.id, "an authority")
    if args.verb == "export":
        return _export(org, authority, args)
    if args.verb == "sign-list":
        listed = authorities.sign_list(org, authority, actor=COMMAND_LINE)
        sentence = f"List {listed.number} is signed, and counts until {common.moment(listed.until)}."
        return entry.done(sentence, {"id": str(authority), "number": listed.number}, args)
    authorities.end_authority(org, authority, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("It issues nothing more.", {"id": str(authority), "ended": True}, args)


def _certified(key: OwnKey, args: argparse.Namespace) -> int:
    kept = own_acts.opened(key)
    until = common.moment(key.not_after)[:10]
    sentence = (
        f"Certified by the organisation’s authority for {kept.address}, until {until}: it is used from now on.\n"
        f"Fingerprint: {words.grouped(kept.fingerprint)}"
    )
    result = {"id": str(key.pk), "address": kept.address, "fingerprint": kept.fingerprint, "until": until}
    return entry.done(sentence, result, args)


def _export(org: uuid.UUID, authority: uuid.UUID, args: argparse.Namespace) -> int:
    found = authorities.certificate(org, COMMAND_LINE, authority)
    if args.output is None:
        sys.stdout.buffer.write(found.data)
        return 0
    durable.write(Path(args.output), found.data)
    return entry.done(f"Written to {args.output}.", {"id": str(authority), "file": args.output}, args)


def _row(one: OwnAuthority) -> dict[str, object]:
    return {
        "id": one.id, "kind": one.algorithm, "state": "issues" if one.state == issuing.ACTIVE else "ended",
        "domains": list(one.domains), "until": common.moment(one.not_after)[:10], "certificates": one.held,
        "revoked": one.revoked, "list_until": common.moment(one.list_until), "fingerprint": one.fingerprint.upper(),
    }  # fmt: skip
