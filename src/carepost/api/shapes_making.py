"""What messages are made from, as the API reads and writes it: templates, their versions, uploads."""

from typing import Annotated

import msgspec

#: `rendering.types.MAX_SOURCE` says how long all of them may be
Part = str
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Liquid in every part. `mjml` or `html`; `text` "": made from it."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=998)]
    html: Part = ""
    mjml: Part = ""
    text: Part = ""


class AddTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    source: Source
    #: what it is, for colleagues
    note: Note = ""


class RenameTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name


class AddVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: Source
    note: Note = ""
    #: messages are made from it from now on
    activate: bool = True


class Template(msgspec.Struct, frozen=True):
    id: str
    name: str
    #: numbers of versions
    active: int
    newest: int
    changed_at: int


class Templates(msgspec.Struct, frozen=True):
    templates: tuple[Template, ...]


class OpenedTemplate(msgspec.Struct, frozen=True):
    """One version whole. `variables`: the names it uses. `text`: as it is sent, also where it was made."""

    id: str
    name: str
    active: int
    number: int
    source: Source
    variables: tuple[str, ...]
    text: str


class Version(msgspec.Struct, frozen=True):
    number: int
    #: "staff:<id>" or "key:<id>"
    author: str
    created_at: int
    note: str
    active: bool


class Versions(msgspec.Struct, frozen=True):
    versions: tuple[Version, ...]


class NewVersion(msgspec.Struct, frozen=True):
    number: int
    active: bool


class Render(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version (0: the active one) with these variables."""

    variables: dict[str, msgspec.Raw] = {}
    number: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0


class Rendered(msgspec.Struct, frozen=True):
    subject: str
    html: str
    text: str


class Uploaded(msgspec.Struct, frozen=True):
    """`id`: for `attachments[].upload_id`, until `expires_at` (UTC microseconds)."""

    id: str
    size: int
    expires_at: int
