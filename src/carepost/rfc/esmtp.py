"""Arguments of MAIL, RCPT and EHLO (RFC 5321, 1870, 3461, 6152, 6531, 8689), with the reply where they are wrong."""

import re

import msgspec

from carepost.rfc.envelope import Recipient
from carepost.rfc.errors import AddressError, CommandError
from carepost.rfc.path import parse_path, plain

#: octets (RFC 3461 4.4 and 4.2)
MAX_ENVID, MAX_ORCPT = 100, 500

#: octets of an argument in which no label of a domain can be too long
_SHORT = 64
_PATH = re.compile(r' {0,8}<((?:"(?:[^"\\]|\\.)*+"|[^"<>])*+)>(?: (.*))?', re.DOTALL)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,62})(?:=([^\x00-\x20=\x7f]{1,1000}))?")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEX = re.compile(r"\+([0-9A-F]{2})")
_ORCPT = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,39});(.+)", re.DOTALL)
_UTF8_XTEXT = re.compile(r"(?:[!-*,-<>-\[\]-~]|\\x\{[0-9A-F]{2,6}\}|\+[0-9A-F]{2}|[^\x00-\x7f])+")
_HELLO = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253})|\[[A-Za-z0-9:.]{1,60}\]")


class MailCommand(msgspec.Struct, frozen=True):
    """`size` is 0 where none was declared; the session compares it with its limit (552)."""

    sender: str
    size: int = 0
    #: "" | 7BIT | 8BITMIME
    body: str = ""
    smtputf8: bool = False
    ret: str | None = None
    #: decoded
    envid: str | None = None
    #: RFC 8689: whether it may be said here is the session's matter
    requiretls: bool = False


def xtext(text: str) -> str:
    """RFC 3461 4: printable ASCII but "+" and "=" as it is, other octets as +HH."""
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode("utf-8")
    )


def unxtext(text: str) -> str:
    """Raises ValueError for what is not xtext, or not UTF-8 once decoded."""
    if _XTEXT.fullmatch(text) is None:
        raise ValueError("not xtext")
    return _HEX.sub(lambda m: chr(int(m[1], 16)), text).encode("latin-1").decode("utf-8")


def _split(argument: bytes, keyword: bytes) -> tuple[str, dict[str, str | None]]:
    """The path between its angle brackets, and the parameters."""
    name = keyword.decode("ascii")
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError("command-syntax", f"Syntax: {name}<address>", "5.5.4", reply=501)
    try:
        text = argument[len(keyword) :].decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("command-utf8", "The command is not UTF-8.", "5.5.4", reply=501) from None
    found = _PATH.fullmatch(text.rstrip(" "))
    if found is None:
        raise CommandError("command-syntax", f"Syntax: {name}<address>", "5.5.4", reply=501)
    return found[1], _parameters(found[2] or "")


def _parameters(text: str) -> dict[str, str | None]:
    given: dict[str, str | None] = {}
    for word in text.split(" "):
        if not word:
            continue
        found = _PARAMETER.fullmatch(word)
        if found is None or found[1].upper() in given or len(given) >= 16:
            raise _parameter("The parameters of the command are not well formed.")
        given[found[1].upper()] = found[2]
    return given


def _parameter(public: str, reply: int = 501) -> CommandError:
    return CommandError("parameter", public, "5.5.4", reply=reply)


def _path(text: str, *, utf8: bool, null_ok: bool, enhanced: str) -> str:
    try:
        return parse_path(text, utf8=utf8, null_ok=null_ok)
    except AddressError as error:
        status = enhanced if error.enhanced == "5.1.3" else error.enhanced
        raise CommandError(error.code, error.public, status, reply=error.reply) from None


def parse_mail(argument: bytes) -> MailCommand:
    """What follows `MAIL `: `FROM:<path> [parameters]`. Raises CommandError: 501, 553 or 555 (BI-016..021, BI-025)."""
    path, given = _split(argument, b"FROM:")
    size, body = 0, ""
    utf8 = requiretls = False
    ret = envid = None
    for name, value in given.items():
        if name == "SIZE":
            if value is None or not re.fullmatch(r"[0-9]{1,20}", value):
                raise _parameter("SIZE needs a number.")
            size = int(value)
        elif name == "BODY":
            body = (value or "").upper()
            if body not in ("7BIT", "8BITMIME"):
                raise _parameter("BODY is 7BIT or 8BITMIME.")
        elif name == "SMTPUTF8" and value is None:
            utf8 = True
        elif name == "REQUIRETLS" and value is None:
            requiretls = True
        elif name == "RET":
            ret = (value or "").upper()
            if ret not in ("FULL", "HDRS"):
                raise _parameter("RET is FULL or HDRS.")
        elif name == "ENVID":
            envid = _envid(value or "")
        elif name == "AUTH" and value is not None:
            # RFC 4954 5: accepted, and not believed; the credential says who submits
            continue
        else:
            raise _parameter("A parameter of MAIL is not supported here.", 555)
    sender = _path(path, utf8=utf8, null_ok=True, enhanced="5.1.7")
    return MailCommand(sender, size, body, utf8, ret, envid, requiretls)


def _envid(value: str) -> str:
    try:
        text = unxtext(value)
    except ValueError:
        text = ""
    if not text or len(value) > MAX_ENVID or not text.isascii() or not text.isprintable():
        raise _parameter("ENVID is not well formed.")
    return text


def parse_rcpt(argument: bytes, *, utf8: bool = False, postmaster: str = "") -> Recipient:
    """What follows `RCPT `: `TO:<path> [parameters]`. `utf8`: MAIL carried SMTPUTF8.

    `postmaster`: the domain `<postmaster>` alone stands for (RFC 5321 4.5.1). Raises CommandError."""
    if argument[:4] == b"TO:<" and argument[-1:] == b">" and len(argument) <= _SHORT and argument.isascii():
        # most are so; whatever is longer, has parameters or may be refused is read below
        address = plain(argument[4:-1].decode("ascii")) if b"--" not in argument else ""
        if address:
            return Recipient(address)
    path, given = _split(argument, b"TO:")
    notify: tuple[str, ...] = ()
    orcpt = None
    for name, value in given.items():
        if name == "NOTIFY":
            notify = _notify(value or "")
        elif name == "ORCPT":
            orcpt = _orcpt(value or "")
        else:
            raise _parameter("A parameter of RCPT is not supported here.", 555)
    if postmaster and path.lower() == "postmaster":
        path = f"{path}@{postmaster}"
    return Recipient(_path(path, utf8=utf8, null_ok=False, enhanced="5.1.3"), notify, orcpt)


def _notify(value: str) -> tuple[str, ...]:
    words = tuple(value.upper().split(","))
    wrong = len(set(words)) != len(words) or not set(words) <= {"NEVER", "SUCCESS", "FAILURE", "DELAY"}
    if wrong or ("NEVER" in words and len(words) > 1):
        raise _parameter("NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY.")
    return words


def _orcpt(value: str) -> str:
    found = _ORCPT.fullmatch(value)
    if found is None or len(value) > MAX_ORCPT:
        raise _parameter("ORCPT is not well formed.")
    pattern = _UTF8_XTEXT if found[1].lower() == "utf-8" else _XTEXT
    if pattern.fullmatch(found[2]) is None:
        raise _parameter("ORCPT is not well formed.")
    return value


def parse_hello(argument: bytes) -> str:
    """The name given in EHLO or HELO; it is never believed. Raises CommandError for what is no name (BI-026)."""
    text = argument.strip(b" ").decode("latin-1")
    if _HELLO.fullmatch(text) is None:
        raise CommandError("hello", "Syntax: EHLO hostname", "5.5.4", reply=501)
    return text
