"""`carepost mailkey`: the organisation's own keys for S/MIME and OpenPGP."""

import argparse

from carepost.cli.office import entry

#: crypto.smime.authority.CAUSES
CAUSES = ("unspecified", "key-compromise", "affiliation-changed", "superseded", "cessation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "make a key; it signs from now on")
    add.add_argument("address", metavar="ADDRESS", help="whose it is, at one of the sender domains")
    add.add_argument("--method", choices=("smime", "openpgp"), default="smime")
    add.add_argument("--algorithm", default="", help="rsa-3072, ec-p256, … or curve25519, rsa3072, …")
    add.add_argument("--name", default="", help="the name in the certificate")
    add.add_argument("--days", type=int, default=0, metavar="N", help="days it holds (default 730, OpenPGP 1095)")
    add.add_argument(
        "--request", action="store_true", help="wait for an authority’s certificate (see export --request)"
    )
    _owner(add)
    _overlap(add)
    entry.reason(add)
    take = entry.verb(verbs, "import", "take in a PKCS#12 file, or an OpenPGP secret key")
    take.add_argument("file", metavar="FILE")
    take.add_argument("--address", default="", help="whose it is (default: as the certificate says)")
    take.add_argument(
        "--passphrase-file", metavar="FILE", help="where its passphrase stands (default: it is asked for)"
    )
    take.add_argument("--former", action="store_true", help="only to open what was encrypted to it once")
    take.add_argument("--dry-run", action="store_true", help="say what would be taken, and change nothing")
    _owner(take)
    _overlap(take)
    entry.reason(take)
    install = entry.verb(verbs, "install", "the certificate an authority made for the request of a key")
    install.add_argument("id", metavar="ID")
    install.add_argument("file", metavar="FILE", help="PEM, DER or PKCS#7, with its issuers")
    _overlap(install)
    entry.reason(install)
    some = entry.verb(verbs, "list", "all keys, newest first")
    some.add_argument("--limit", type=int, default=200, metavar="N", help="at most so many (default 200)")
    some.add_argument("--after", default="", metavar="ID", help="those after this one, to go on with a long list")
    rotate = entry.verb(verbs, "rotate", "a new key for the same owner; the old one goes on opening for a time")
    rotate.add_argument("id", metavar="ID")
    rotate.add_argument("--algorithm", default="", help="another kind of key than before")
    rotate.add_argument("--days", type=int, default=0, metavar="N", help="days the new one holds")
    rotate.add_argument("--request", action="store_true", help="the old one signs until the new has its certificate")
    _overlap(rotate)
    entry.reason(rotate)
    revoke = entry.verb(verbs, "revoke", "it signs and opens nothing from now on")
    revoke.add_argument("id", metavar="ID")
    revoke.add_argument(
        "--cause", default="unspecified", choices=tuple(CAUSES), help="what the list of our own authority says of it"
    )
    entry.reason(revoke)
    always = entry.verb(verbs, "sign-all", "sign also what leaves unencrypted, or (--off) no more")
    always.add_argument("id", metavar="ID")
    always.add_argument("--off", action="store_true")
    entry.reason(always)
    export = entry.verb(verbs, "export", "write what may be given out: the certificate, or the request")
    export.add_argument("id", metavar="ID")
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    export.add_argument("--request", action="store_true", help="the request (PKCS#10) for an authority")


def _owner(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shared", action="store_true", help="the organisation’s: for everyone who has none of their own"
    )
    parser.add_argument("--sign-all", action="store_true", help="sign also what leaves unencrypted")


def _overlap(parser: argparse.ArgumentParser) -> None:
    words = "days the key it replaces goes on opening (default: until content is kept no longer)"
    parser.add_argument("--overlap", type=int, default=None, metavar="DAYS", help=words)


def run(args: argparse.Namespace) -> int:
    return entry.run("mailkey", args)
