"""SMTP TLS reports (RFC 8460): who wants one, what it says, and the mail that carries it. Pure.

A report holds counts of connections, our host name and the organisation's name: nothing of any message or person."""

import base64
import gzip
import os
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from carepost.delivery.resolver import Answer
from carepost.ground import clock
from carepost.posture.types import Count, Day
from carepost.queue.types import MessageRecord
from carepost.rfc import date
from carepost.rfc.address import Mailbox, format_mailbox
from carepost.wire.types import Origin

#: tag of the messages that carry reports: their own sessions are counted in none, or reports would follow on reports
TAG: Final = "tls-report"
#: addresses of one domain that get a report; octets of a record that is read
MOST, RECORD = 4, 2048
_DAY: Final = 86_400
_MAIL, _HTTPS = "mailto:", "https://"
_HTTPS_FORM = re.compile(r"https://([a-z0-9.-]{1,253})(/[!-~]{0,500})?", re.I)
_LOCAL = re.compile(r"[A-Za-z0-9#$&'*+/=^_`{|}~-]+(?:\.[A-Za-z0-9#$&'*+/=^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
#: types of a policy that are in nobody's report
_OURS: Final = frozenset({"pinned"})


def carries(message: MessageRecord) -> bool:
    """The message is a report of ours: no caller can give another this origin."""
    return message.origin == Origin.REPORT and TAG in message.tags


class Wanted(msgspec.Struct, frozen=True):
    """Where a domain wants its reports."""

    mail: tuple[str, ...] = ()
    #: (host, path)
    https: tuple[tuple[str, str], ...] = ()


def wanted(answer: Answer[bytes]) -> Wanted:
    """RFC 8460 3: exactly one TXT record at `_smtp._tls.<domain>` that begins with v=TLSRPTv1."""
    ours = [text for text in answer.records if re.match(rb"v=TLSRPTv1[ \t]*;", text)]
    if len(ours) != 1 or len(ours[0]) > RECORD or not ours[0].isascii():
        return Wanted()
    mail: list[str] = []
    https: list[tuple[str, str]] = []
    for field in ours[0].decode().split(";")[1:]:
        name, _, value = field.partition("=")
        if name.strip() != "rua":
            continue
        for uri in value.split(","):
            one = uri.strip()
            if one.lower().startswith(_MAIL) and (address := _address(one[len(_MAIL) :])):
                mail.append(address)
            elif found := _HTTPS_FORM.fullmatch(one):
                https.append((found[1].lower().rstrip("."), found[2] or "/"))
        break
    return Wanted(tuple(dict.fromkeys(mail))[:MOST], tuple(dict.fromkeys(https))[:MOST])


def _address(text: str) -> str:
    """Neither parameters nor anything encoded: what is not a plain address as it stands is passed over."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain.lower()):
        return ""
    return f"{local}@{domain.lower()}"


class Report(msgspec.Struct, frozen=True):
    """One finished report."""

    domain: str
    submitter: str
    id: str
    file: str
    #: gzip of the JSON
    data: bytes


def report(day: Day, *, organisation: str, contact: str, submitter: str) -> Report | None:
    """What `day` counted; None: nothing that concerns the domain. The same day makes the same id."""
    counts = [count for count in day.counts if count.policy.type not in _OURS]
    if not counts or not _DOMAIN.fullmatch(day.domain):
        return None
    begins, ends = day.day * _DAY, (day.day + 1) * _DAY - 1
    identity = f"{begins}.{day.org.hex()[-16:]}.{day.domain}@{submitter}"
    told = {
        "organization-name": organisation,
        "date-range": {"start-datetime": _moment(begins), "end-datetime": _moment(ends)},
        "contact-info": contact,
        "report-id": identity,
        "policies": [_policy(count) for count in counts],
    }
    data = gzip.compress(msgspec.json.encode(told), mtime=0)
    # RFC 8460 5.1: sender!policy domain!begin!end!id
    file = f"{submitter}!{day.domain}!{begins}!{ends}!{day.org.hex()[-16:]}.json.gz"
    return Report(day.domain, submitter, identity, file, data)


def _policy(count: Count) -> dict[str, object]:
    policy: dict[str, object] = {"policy-type": count.policy.type}
    if count.policy.text:
        policy["policy-string"] = list(count.policy.text)
    policy["policy-domain"] = count.policy.domain
    if count.policy.mx:
        policy["mx-host"] = list(count.policy.mx)
    details = []
    for failure, times in count.failed:
        detail: dict[str, object] = {"result-type": failure.result}
        if failure.address:
            detail["receiving-ip"] = failure.address
        if failure.host:
            detail["receiving-mx-hostname"] = failure.host
        detail["failed-session-count"] = times
        if failure.reason:
            detail["failure-reason-code"] = failure.reason
        details.append(detail)
    summary = {
        "total-successful-session-count": count.good,
        "total-failure-session-count": sum(times for _, times in count.failed),
    }
    found: dict[str, object] = {"policy": policy, "summary": summary}
    if details:
        found["failure-details"] = details
    return found


def _moment(seconds: int) -> str:
    """RFC 3339, in seconds."""
    return f"{clock.rfc3339(seconds * 1_000_000)[:19]}Z"


def mail(made: Report, *, from_: Mailbox, to: Sequence[str], message_id: str, at: int) -> bytes:
    """RFC 8460 5.3: multipart/report with two parts. `TLS-Required: No` (RFC 8689): it goes also where TLS fails."""
    mark = "=_" + os.urandom(16).hex()
    recipients = ", ".join(format_mailbox("", one) for one in to)
    encoded = base64.encodebytes(made.data).replace(b"\n", b"\r\n").decode()
    return (
        f"From: {format_mailbox(from_.name, from_.address)}\r\nTo: {recipients}\r\n"
        f"Subject: Report Domain: {made.domain}\r\n Submitter: {made.submitter}\r\n Report-ID: <{made.id}>\r\n"
        f"Date: {date.text(at)}\r\nMessage-ID: {message_id}\r\nTLS-Report-Domain: {made.domain}\r\n"
        f"TLS-Report-Submitter: {made.submitter}\r\nTLS-Required: No\r\nAuto-Submitted: auto-generated\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type="tlsrpt";\r\n boundary="{mark}"\r\n\r\n'
        f"--{mark}\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
        "This is an aggregate report about encrypted connections to your mail servers (RFC 8460).\r\n\r\n"
        f"--{mark}\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{made.file}"\r\n\r\n{encoded}--{mark}--\r\n'
    ).encode()
