"""A form that is sent twice from the one page it stands on (a second click, a reload of what came next) asks for one
thing: what it makes gets an id that page and content decide, so that the second finds the first. For what is shown once
that matters most: nobody would know of a second secret that lives on.
"""

import hashlib
import uuid

import msgspec
from django.db.models import Model

from carepost.ground.errors import Refused


class MadeAlready(Refused):
    """`made`: what the first press made."""

    def __init__(self, made: uuid.UUID) -> None:
        super().__init__("made-already", "This was made already, by the same page.", status=409)
        self.made = made


def id_of(org: uuid.UUID, page: str, *what: object) -> uuid.UUID | None:
    """The id that `what`, asked for on the page of this mark, gets; None for no page (each call is another thing).
    `what`: anything msgspec writes, with who asks among it."""
    if not page:
        return None
    return uuid.uuid5(org, hashlib.sha256(msgspec.json.encode((page, *what))).hexdigest())


def once(row: Model, given: uuid.UUID | None) -> None:
    """Inside `act`, whose lock makes two presses one after the other: `row` gets the id. Raises MadeAlready."""
    if given is None:
        return
    if type(row)._default_manager.filter(pk=given).exists():
        raise MadeAlready(given)
    row.pk = given
