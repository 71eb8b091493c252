"""`carepost domain`, inside Django."""

import argparse
import json
import uuid

import msgspec

from carepost.cli.office import common, entry
from carepost.crypto import dkim
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.senders import acts, bulk, history, looking, reading, rotation, settings
from carepost.tenancy import engines, names, select
from carepost.tenancy.actions import dkim_keys, domains
from carepost.tenancy.models import DkimKey, SenderDomain
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        rows = [_row(d) for d in select.domains(org)]
        shown = rows if args.json else [{k: v for k, v in row.items() if k != "records"} for row in rows]
        return entry.show(shown, args, "There is no sender domain yet.")
    match args.verb:
        case "check":
            return _check(org, args)
        case "history":
            return _history(org, args)
        case "schedule" | "mta-sts":
            return _choose(org, args)
        case "switch":
            switched = rotation.switch(org, args.domain, engines.client().ask, actor=COMMAND_LINE)
            selectors = [key.selector for key in switched]
            said = f"Mail of {names.domain(args.domain)} is signed with {' and '.join(selectors)} from now on."
            return entry.done(said, {"domain": names.domain(args.domain), "selectors": selectors}, args)
        case "revoke":
            key = dkim_keys.revoke(org, args.domain, args.selector, actor=COMMAND_LINE, reason=args.reason)
            name = f"{key.selector}._domainkey.{names.domain(args.domain)}"
            return entry.done(
                f'The key is revoked. Publish its record empty: {name}. TXT "v=DKIM1; p="',
                {"name": name, "type": "TXT", "value": "v=DKIM1; p="}, args,
            )  # fmt: skip
        case "remove":
            domains.remove_domain(org, args.domain, actor=COMMAND_LINE, reason=args.reason)
            result = {"domain": names.domain(args.domain), "removed": True}
            return entry.done(f"{result['domain']} is no sender domain any more.", result, args)
        case "add":
            unit = select.unit(org, args.unit).pk if args.unit else None
            domains.add_domain(org, args.domain, actor=COMMAND_LINE, unit=unit, algorithms=_algorithms(args))
        case "rotate":
            dkim_keys.make_next(org, args.domain, actor=COMMAND_LINE, algorithms=_algorithms(args))
    return _records(org, args)


def _algorithms(args: argparse.Namespace) -> tuple[str, ...]:
    if not args.dkim:
        return ()
    return (dkim.RSA, dkim.ED25519) if args.dkim == "both" else (f"{args.dkim}-sha256",)


def _records(org: uuid.UUID, args: argparse.Namespace) -> int:
    wanted = names.domain(args.domain)
    found = next((d for d in select.domains(org) if d.domain == wanted), None)
    if found is None:
        raise NotFound("There is no such sender domain.")
    row = _row(found)
    if args.json:
        print(json.dumps(row, indent=2))
        return 0
    print(f"{wanted} is a sender domain. Publish these records in its DNS:\n")
    for key in _kept(found):
        print(f'{key.selector}._domainkey.{wanted}. TXT "{key.record}"')
    if row["next"]:
        print(f"\nWhen DNS shows the next keys ({' '.join(map(str, row['next']))}): carepost domain switch {wanted}")  # type: ignore[call-overload]
    print(f"\nAll records, and what DNS says of them: carepost domain check {wanted}")
    return 0


def _row(domain: SenderDomain) -> dict[str, object]:
    kept = _kept(domain)
    return {
        "domain": domain.domain,
        "unit": domain.unit.name if domain.unit is not None else "",
        "selectors": [k.selector for k in kept if k.signs],
        "next": [k.selector for k in kept if k.waits],
        "records": [
            {"name": f"{k.selector}._domainkey.{domain.domain}", "type": "TXT", "value": k.record} for k in kept
        ],
    }


def _kept(domain: SenderDomain) -> list[DkimKey]:
    return sorted((k for k in domain.dkim_keys.all() if not k.retired_at), key=lambda k: (k.waits, k.selector))


def _choose(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.verb == "schedule":
        chosen = acts.schedule(org, args.domain, actor=COMMAND_LINE, rotate_days=args.days, keep_days=args.keep)
        every = f"every {chosen.rotate_days} days" if chosen.rotate_days else "by a person only"
        said = f"Keys change {every}; a former key stays published for {chosen.keep_days} days."
        return entry.done(said, {"days": chosen.rotate_days, "keep": chosen.keep_days}, args)
    mode = "" if args.mode == "off" else args.mode
    chosen = acts.serve_policy(org, args.domain, actor=COMMAND_LINE, mode=mode, mx=args.mx, max_age=args.max_age)
    wanted = names.domain(args.domain)
    if not mode:
        return entry.done(f"No MTA-STS policy is served for {wanted} here.", {"domain": wanted, "mode": ""}, args)
    record = {"name": f"_mta-sts.{wanted}", "type": "TXT", "value": f"v=STSv1; id={chosen.sts_id}"}
    said = (
        f"The policy is served at https://mta-sts.{wanted}/.well-known/mta-sts.txt once that name leads here, with a "
        f'certificate in the TLS folder. Publish: {record["name"]}. TXT "{record["value"]}"'
    )
    return entry.done(said, {"domain": wanted, "mode": mode, "record": record}, args)


def _check(org: uuid.UUID, args: argparse.Namespace) -> int:
    """Exit 1 while a record that mail needs is missing or different."""
    looking.look(org, settings.domain(org, args.domain), engines.client().ask, actor=COMMAND_LINE)
    page = reading.page(org, COMMAND_LINE, args.domain)
    if args.json:
        print(json.dumps(told(page), indent=2))
        return 1 if page.wrong else 0
    for line in page.look.lines:
        print(f"{line.state.value.upper():9} {line.record:5} {line.name}  {history.TITLES[line.part]}")
        if line.state.value != "right" or line.todo:
            for text in line.found:
                print(f"            found   {text}")
        if line.todo:
            print(f"            {line.todo}")
        if line.wanted and line.wanted not in line.found and not line.right:
            print(f"            publish {line.wanted}")
    print("\nRules of mailbox providers:")
    for rule in page.rules:
        print(
            f"{rule.state.value:8} {bulk.PROVIDERS[rule.provider]}: {rule.words}. {rule.evidence} {rule.todo}".rstrip()
        )
    total = f"{page.look.good} of {len(page.look.lines)} records are right"
    print(f"\n{total}; {page.wrong} that mail needs are not; of {page.unknown} DNS says nothing now.")
    return 1 if page.wrong else 0


def _history(org: uuid.UUID, args: argparse.Namespace) -> int:
    if not 1 <= args.days <= history.MOST_DAYS:
        raise names.Wrong("bad-days", f"--days is a number from 1 to {history.MOST_DAYS}.")
    found = history.history(org, COMMAND_LINE, args.domain, days=args.days)
    if args.json:
        told = {"days": found.days, "changes": found.changes, "more": found.more}
        print(json.dumps({"domain": found.row.domain, **msgspec.to_builtins(told)}, indent=2))
        return 0
    print("Week from   Records                  Messages  Not proved  Connections  Failed")
    for week in history.weeks(found.days):
        stood = f"{week.wrong} not right of {week.total}" if week.wrong else f"{week.right} of {week.total} right"
        print(
            f"{week.date}  {stood if week.looked else 'not looked at':23}  {week.messages:8}  {week.unproved:10}  "
            f"{week.sessions:11}  {week.failed:6}"
        )
    print("\nWhat changed:")
    for one in found.changes:
        print(f"{clock.rfc3339(one.at)[:19]}Z  {one.heading}{' (weaker)' if one.weaker else ''}")
        print(f"    {one.name}: {one.text}" if one.name else f"    {one.text}")
        for word, text in (("before", one.old), ("now", one.new)):
            for line in text.splitlines():
                print(f"    {word:6}  {line}")
    return 0


def told(page: reading.Page) -> dict[str, object]:
    """For programs, as the API has it."""
    return {
        "domain": page.row.domain,
        "checked_at": page.look.at,
        "records": msgspec.to_builtins(page.look.lines),
        "keys": msgspec.to_builtins(page.keys),
        "rules": msgspec.to_builtins(page.rules),
    }
