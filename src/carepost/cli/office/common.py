"""What the office's commands ask of tenancy: which organisation, whose account, when."""

import argparse
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO

from carepost.ground import clock
from carepost.ground.errors import ConfigError, NotFound
from carepost.tenancy import select
from carepost.tenancy.models import Organisation


def organisation(args: argparse.Namespace) -> Organisation:
    """`--org`, or the only one there is."""
    if args.org:
        return select.organisation(args.org)
    every = select.organisations()
    if len(every) == 1:
        return every[0]
    if not every:
        raise ConfigError("There is no organisation yet; make one with: carepost org add SLUG --name NAME")
    raise ConfigError(f"Name the organisation by --org: {', '.join(o.slug for o in every)}.")


def person(org: uuid.UUID, email: str) -> uuid.UUID:
    """The id of somebody who works here, by e-mail address or id."""
    for member in select.staff(org):
        if email.strip().lower() in (member.staff.email, str(member.staff_id)):
            return member.staff_id
    raise NotFound(f"Nobody here signs in as {email!r}.")


def moment(us: int) -> str:
    return clock.rfc3339(us)[:19] + "Z" if us else ""


def time(text: str) -> int:
    """UTC microseconds of an ISO 8601 time with its zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigError(f"{text!r} is no time; write it with its zone, as 2026-12-01T00:00Z.")
    return round(at.timestamp() * 1_000_000)


def day(us: int) -> str:
    return clock.rfc3339(us)[:10] if us else ""


@contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file that was not there, for its owner alone, on disk at the end; half of one is not left behind. Raises
    ConfigError."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; name a file that is not.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(file, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        os.unlink(path)
        raise


def identifier(text: str, what: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not the id of {what}; the list shows them.") from None
