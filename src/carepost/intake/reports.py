"""Reports that come by mail, taken out of it: DMARC aggregate (RFC 9990) and SMTP TLS (RFC 8460)."""

from typing import Final

from carepost.ground.errors import Refused
from carepost.rfc import dmarcreport, mime, packed, tlsreport
from carepost.rfc.errors import MimeError, RfcError
from carepost.rfc.mime import Attachment
from carepost.rfc.reports import Report

#: parts of a mail looked at
_PARTS: Final = 10
_TLS: Final = ("application/tlsrpt+json", "application/tlsrpt+gzip", "application/json")
_PACKED: Final = ("application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed")
_XML: Final = ("application/xml", "text/xml")
_NAMES: Final = (".xml", ".xml.gz", ".zip", ".json", ".json.gz")


class NoReport(Refused):
    """The mail holds nothing that can be read as a report. `code` names what is wrong."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public, enhanced="5.6.0", status=422)


def read(raw: bytes) -> tuple[Report, ...]:
    """The reports in one mail. Blocking: some 100 ms for the largest. Raises NoReport with a named error."""
    try:
        parts = [a for a in mime.read(raw).attachments if _may_be(a)][:_PARTS]
    except MimeError as error:
        raise NoReport(error.code, error.public) from None
    if not parts:
        raise NoReport("report-missing", "The mail holds no DMARC or TLS report; nothing else is read here.")
    found: list[Report] = []
    for part in parts:
        try:
            found += _of(packed.open_(part.data))
        except RfcError as error:
            raise NoReport(error.code, error.public) from None
    return tuple(found)


def _of(data: bytes) -> tuple[Report, ...]:
    return tlsreport.read(data) if data.lstrip()[:1] == b"{" else (dmarcreport.read(data),)


def _may_be(part: Attachment) -> bool:
    kind, name = part.content_type.lower(), part.name.lower()
    return kind in _TLS or kind in _PACKED or kind in _XML or name.endswith(_NAMES)
