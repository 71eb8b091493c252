"""`carepost authority`: the organisation as its own certification authority for S/MIME."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    make = entry.verb(verbs, "make", "make the organisation’s authority; one before it issues nothing more")
    make.add_argument("--algorithm", default="", help="rsa-3072 (default) or ec-p384")
    make.add_argument("--days", type=int, default=0, metavar="N", help="days it holds (default 3650)")
    make.add_argument(
        "--where", default="", metavar="URL",
        help="the portal’s host as certificates name it (default: the portal’s address); http:// reaches most",
    )  # fmt: skip
    entry.reason(make)
    entry.verb(verbs, "list", "the authorities there are, newest first")
    certify = entry.verb(verbs, "certify", "its certificate for an S/MIME key that is here")
    certify.add_argument("key", metavar="KEY", help="id, as carepost mailkey list shows it")
    certify.add_argument("--days", type=int, default=0, metavar="N", help="days it holds (default 730, at most 825)")
    entry.reason(certify)
    add = entry.verb(verbs, "add-key", "a new S/MIME key with its certificate; it signs from now on")
    add.add_argument("address", metavar="ADDRESS", help="whose it is, at one of the sender domains")
    add.add_argument("--shared", action="store_true", help="the organisation’s: for everyone who has none of their own")
    add.add_argument("--sign-all", action="store_true", help="sign also what leaves unencrypted")
    add.add_argument("--algorithm", default="", help="rsa-3072, ec-p256, …")
    add.add_argument("--name", default="", help="the name in the certificate")
    add.add_argument("--days", type=int, default=0, metavar="N", help="days it holds (default 730, at most 825)")
    entry.reason(add)
    export = entry.verb(verbs, "export", "write an authority’s certificate, to hand to partners (PEM)")
    export.add_argument("id", metavar="ID")
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    anew = entry.verb(verbs, "sign-list", "sign its list of revoked certificates now (else it happens by the clock)")
    anew.add_argument("id", metavar="ID")
    end = entry.verb(verbs, "end", "it issues nothing more; its list of revoked certificates goes on")
    end.add_argument("id", metavar="ID")
    entry.reason(end)


def run(args: argparse.Namespace) -> int:
    return entry.run("authority", args)
