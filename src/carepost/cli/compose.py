"""The message that `send` and `explain` make of their arguments."""

import argparse
import mimetypes
import sys
from pathlib import Path

from carepost.cli.local import ACTOR
from carepost.crypto import slowhash
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError
from carepost.policy.types import Access, Assurance
from carepost.rfc import address, compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import AddressError
from carepost.wire.types import AccessProof, Origin, Protection, Submission


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="sender", required=True, metavar="ADDRESS", help="in one of the sender domains")
    parser.add_argument("--to", required=True, action="append", metavar="ADDRESS", help="may be given several times")
    parser.add_argument("--minimum", metavar="ASSURANCE", help="ENCRYPTED, MAILBOX, VERIFIED, AUTHENTICATED or MESSAGE")
    parser.add_argument("--access-code", metavar="CODE", help="agreed with the recipient beforehand, for the portal")


def add_content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--subject", default="", help="subject")
    parser.add_argument("--text", metavar="FILE", help="file with the text (- or nothing: standard input)")
    parser.add_argument("--attach", metavar="FILE", action="append", default=[], help="a file to attach")


def submission(args: argparse.Namespace, org: OrgSnapshot, text: str, subject: str, files: list[str]) -> Submission:
    """Raises ConfigError naming the argument that is wrong."""
    sender = _address(args.sender)
    recipients = [_address(one) for one in args.to]
    raw = compose.build(
        from_=Mailbox("", sender),
        to=tuple(Mailbox("", one) for one in recipients),
        subject=subject,
        text=text,
        attachments=tuple(_attachment(Path(name)) for name in files),
        message_id=f"<{ids.text(ids.new())}@{address.domain(sender)}>",
        at=clock.now(),
    )
    access = AccessProof(Access.CODE, "", slowhash.make(args.access_code)) if args.access_code else AccessProof()
    return Submission(
        org=org.id,
        envelope=Envelope(sender, tuple(Recipient(one) for one in recipients)),
        body=raw,
        origin=Origin.API,
        actor=ACTOR,
        protection=Protection(minimum=_minimum(args.minimum), access=access),
    )


def read_text(name: str | None) -> str:
    try:
        return sys.stdin.read() if name in (None, "-") else Path(str(name)).read_text()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{name} cannot be read as text; name a UTF-8 file.") from None


def _address(typed: str) -> str:
    try:
        return address.parse_path(typed)
    except AddressError as error:
        raise ConfigError(f"An address given is not one: {error.public}") from None


def _minimum(typed: str | None) -> Assurance | None:
    if not typed:
        return None
    try:
        return Assurance[typed.upper()]
    except KeyError:
        raise ConfigError(
            f"There is no assurance {typed!r}; use one of {', '.join(a.name for a in Assurance)}."
        ) from None


def _attachment(path: Path) -> compose.Attachment:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}).") from None
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return compose.Attachment(path.name, kind, data)
