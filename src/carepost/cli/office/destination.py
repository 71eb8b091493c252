"""`carepost destination`, inside Django."""

import argparse

from carepost.cli.office import common, entry
from carepost.destinations import reading
from carepost.destinations.reading import Line, Page
from carepost.ground import clock
from carepost.posture.types import Certificate
from carepost.tenancy import names, scope


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    with scope.organisation(org):
        if args.verb == "list":
            found = reading.listing(org, attention=args.attention)
            return entry.show([_row(line) for line in found.lines], args, "Mail has gone nowhere yet.")
        page = reading.page(org, reading.by_domain(org, names.domain(args.domain)))
    if args.json:
        return entry.done("", _whole(page), args)
    shown = [_row(page.line)]
    entry.show(shown, args, "")
    for host in page.hosts:
        print(f"\n{host.side.host}  {host.side.assurance.name}\n    It {host.words}.")
        if host.side.certificate is not None:
            print(
                f"    Certificate until {common.day(host.side.certificate.not_after)}, key {host.side.certificate.key}"
            )
    print("\nWhat changed")
    for entry_ in page.entries:
        print(f"{common.day(entry_.at)}  {entry_.heading}. {entry_.text}")
    return 0


def _row(line: Line) -> dict[str, object]:
    return {
        "domain": line.domain,
        "met_as": line.mark.word,
        "certificate_ends": common.day(line.ends_at),
        "alerts": line.alerts,
        "pinned": line.pinned,
        "changed": common.day(line.changed_at),
    }


def _end(certificate: Certificate | None) -> str:
    return common.day(certificate.not_after) if certificate is not None else ""


def _whole(page: Page) -> dict[str, object]:
    return _row(page.line) | {
        "hosts": [
            {
                "host": host.side.host, "assurance": host.side.assurance.name, "tls": host.side.tls,
                "fault": host.side.fault, "pinned": host.side.pinned,
                "key": host.side.certificate.key if host.side.certificate is not None else "",
                "certificate_ends": _end(host.side.certificate),
            }
            for host in page.hosts
        ],
        "changes": [{"at": clock.rfc3339(one.at), "what": one.heading, "text": one.text} for one in page.entries],
        "connections": {"in_order": page.good, "failed": dict(page.failed)},
    }  # fmt: skip
