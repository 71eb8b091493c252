"""`carepost certificate`: certificates of recipients, for S/MIME and OpenPGP."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "vouch for a recipient's certificate: it is used from now on")
    add.add_argument("address", metavar="ADDRESS")
    add.add_argument("file", metavar="FILE", help="PEM, DER, PKCS#7 or OpenPGP; - for standard input")
    entry.reason(add)
    some = entry.verb(verbs, "list", "what is known: of one recipient, or of all, newest first")
    some.add_argument("address", metavar="ADDRESS", nargs="?", default="")
    some.add_argument("--attention", action="store_true", help="only those that end soon, ran out, or changed")
    some.add_argument("--limit", type=int, default=200, metavar="N", help="at most so many (default 200)")
    some.add_argument("--after", default="", metavar="ID", help="those after this one, to go on with a long list")
    for name, words in (
        ("pin", "vouch for one that is known: it is used from now on, others of its kind are replaced"),
        ("distrust", "never encrypt to it again"),
    ):
        one = entry.verb(verbs, name, words)
        one.add_argument("id", metavar="ID", help="as the list shows it")
        entry.reason(one)
    renewed = entry.verb(verbs, "accept-renewed", "use one that differs, where the same authority renewed it")
    renewed.add_argument("id", metavar="ID", help="as the list shows it")
    entry.reason(renewed, required=False)
    many = entry.verb(verbs, "import", "vouch for several; exits with 1 where one of them is refused")
    many.add_argument(
        "source", metavar="FOLDER_OR_CSV",
        help="a folder of files named by address (bo@partner.example.pem), or a CSV of address,file",
    )  # fmt: skip
    many.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
    entry.reason(many)
    _sources(verbs)


def _sources(verbs: "entry.Verbs[argparse.ArgumentParser]") -> None:
    entry.verb(verbs, "sources", "where recipients' keys are looked for, and whom is believed about them")
    change = entry.verb(verbs, "set-sources", "look for recipients' keys in these places only")
    change.add_argument(
        "sources", metavar="SOURCE", nargs="*", help="names as `sources` shows them; none: look nowhere"
    )
    change.add_argument(
        "--unknown-ok", action="store_true",
        help="use a certificate also when nobody could be asked whether it was revoked",
    )  # fmt: skip
    entry.reason(change)
    believe = entry.verb(verbs, "believe", "believe an authority's certificates of recipients")
    believe.add_argument("file", metavar="FILE", help="the authority's own certificate: PEM, DER or PKCS#7")
    entry.reason(believe)
    disbelieve = entry.verb(verbs, "disbelieve", "certificates that stand on this authority alone are used no more")
    disbelieve.add_argument("id", metavar="ID", help="as `sources` shows it")
    entry.reason(disbelieve)


def run(args: argparse.Namespace) -> int:
    return entry.run("certificate", args)
