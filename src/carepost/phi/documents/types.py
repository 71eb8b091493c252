"""What comes of reading a file: its text, how much of it was read, and facts about it. Facts, never verdicts."""

import enum

import msgspec


class Reading(enum.StrEnum):
    READ = "read"
    PARTLY = "partly"
    UNREADABLE = "unreadable"


class Kind(enum.StrEnum):
    """What a file is, by its content; the name only tells texts apart."""

    EMPTY = "empty"
    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    XML = "xml"
    CDA = "cda"
    HL7 = "hl7"
    JSON = "json"
    CALENDAR = "calendar"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    OPENDOCUMENT = "opendocument"
    RTF = "rtf"
    #: Word, Excel, PowerPoint and Outlook of before 2007 (OLE compound files)
    LEGACY_OFFICE = "legacy-office"
    ZIP = "zip"
    GZIP = "gzip"
    TAR = "tar"
    #: one we do not open: 7z, rar, xz, bzip2, cab
    ARCHIVE = "archive"
    MESSAGE = "message"
    TNEF = "tnef"
    IMAGE = "image"
    DICOM = "dicom"
    MEDIA = "media"
    EXECUTABLE = "executable"
    #: S/MIME or OpenPGP ciphertext
    CIPHERTEXT = "ciphertext"
    #: a signature or public key: says nothing about anybody
    SIGNATURE = "signature"
    FONT = "font"
    UNKNOWN = "unknown"


class Trait(enum.StrEnum):
    """What a policy may care about besides the text (BI-056..059)."""

    #: the name's extension or the declared type say something else than the content
    MISMATCH = "type-mismatch"
    DOUBLE_EXTENSION = "double-extension"
    #: marks in the name that reorder it for the eye (U+202E and its like)
    REORDERED_NAME = "reordered-name"
    #: the name is a path, has controls in it, or is a device of Windows
    ODD_NAME = "odd-name"
    #: a program or a script, by content or by name
    EXECUTABLE = "executable"
    MACROS = "macros"
    #: JavaScript, launch and form actions of a PDF; scripts of an HTML or SVG file
    ACTIVE = "active-content"
    #: a template, frame or object that is fetched from elsewhere when the file is opened
    REMOTE = "remote-reference"
    #: an object of another program inside
    EMBEDDED = "embedded-object"
    ENCRYPTED = "encrypted"
    SYMLINK = "symlink"
    #: expands, nests or overlaps as only bombs do
    BOMB = "bomb"
    #: a clinical format: HL7 v2, CDA, DICOM, FHIR
    CLINICAL = "clinical"


#: every reason a reading may give; none holds a word of what was read
REASONS = frozenset(
    {"encrypted", "damaged", "too-large", "too-many", "too-deep", "too-long", "ratio", "overlap", "too-slow", "memory"}
    | {"image", "image-only", "media", "executable", "archive-format", "compression", "legacy-format", "unknown-type"}
    | {"bad-encoding", "entities", "tnef", "message-structure", "dicom", "embedded-object", "unparsed-part"}
)  # fmt: skip


class Limits(msgspec.Struct, frozen=True):
    """Of one message, all its files and what is in them taken together, where nothing else is said."""

    #: bytes of one file as it stands in the message
    file: int = 50_000_000
    #: bytes that come out of archives, documents and transfer encodings
    inflated: int = 150_000_000
    #: bytes of one member
    member: int = 64_000_000
    #: what grew above this may not have grown more than `ratio` times; papers grow 5 to 30 times
    ratio_from: int = 5_000_000
    ratio: int = 100
    #: members of one archive, and files of a message
    members: int = 5_000
    files: int = 1_000
    #: files within files
    depth: int = 8
    #: characters of one file's text, and of all: detection takes about two seconds for a million
    text: int = 1_000_000
    texts: int = 2_000_000
    pages: int = 1_000


class Document(msgspec.Struct, frozen=True):
    """One attached file, or one found inside another. `name` and `text` are personal: never logged, never kept."""

    name: str
    kind: Kind
    reading: Reading
    #: one of REASONS; "" where it was read
    reason: str = ""
    text: str = ""
    traits: tuple[Trait, ...] = ()
    #: bytes
    size: int = 0
    #: 0: stands in the message; 1: in a file of the message; ...
    depth: int = 0
    #: the file of the message it came from or is, counted from 1
    number: int = 0
    #: stands inside the HTML rather than beside it
    inline: bool = False
    #: other names that programs may show it by; as personal as `name`
    also: tuple[str, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """All a message says. `reading` is of its own structure; each document has one of its own."""

    subject: str = ""
    texts: tuple[str, ...] = ()
    #: as sent
    pages: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    reading: Reading = Reading.READ
    reason: str = ""


class Unreadable(Exception):
    """Inside this package only: nothing more can be read of this file; the argument is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TimeUp(BaseException):
    """Raised into a reader by whoever keeps the time (a signal handler): not an Exception, so no parser swallows it."""
