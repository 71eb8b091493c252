"""Reading an SMTP TLS report (RFC 8460 4.4): JSON, strict about types, lenient about what it does not need."""

from datetime import UTC, datetime

import msgspec

from carepost.rfc.reports import ROWS, Failure, Report, ReportError, name, number, text

_MOST_POLICIES = 200


class _Range(msgspec.Struct, rename="kebab"):
    start_datetime: str
    end_datetime: str


class _Policy(msgspec.Struct, rename="kebab"):
    policy_type: str
    policy_domain: str = ""


class _Summary(msgspec.Struct, rename="kebab"):
    total_successful_session_count: int = 0
    total_failure_session_count: int = 0


class _Detail(msgspec.Struct, rename="kebab"):
    result_type: str = ""
    failed_session_count: int = 0
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_ip: str = ""
    failure_reason_code: str = ""


class _Entry(msgspec.Struct, rename="kebab"):
    policy: _Policy
    summary: _Summary = msgspec.field(default_factory=_Summary)
    failure_details: list[_Detail] = []


class _Report(msgspec.Struct, rename="kebab"):
    date_range: _Range
    report_id: str
    policies: list[_Entry]
    organization_name: str = ""
    contact_info: str = ""


_decoder = msgspec.json.Decoder(_Report)


def read(data: bytes) -> tuple[Report, ...]:
    """One value for each policy domain. Raises ReportError."""
    try:
        found = _decoder.decode(data)
        begins, ends = _moment(found.date_range.start_datetime), _moment(found.date_range.end_datetime)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        raise ReportError("report-syntax", "The TLS report is not what RFC 8460 says it is.") from None
    if not found.policies:
        raise ReportError("report-empty", "The TLS report says nothing about any domain.")
    if len(found.policies) > _MOST_POLICIES:
        raise ReportError("report-size", "The TLS report speaks of more than 200 policies.")
    by_domain: dict[str, list[_Entry]] = {}
    for entry in found.policies:
        by_domain.setdefault(name(entry.policy.policy_domain), []).append(entry)
    who, id_ = text(found.organization_name, 120), text(found.report_id, 200)
    return tuple(_of(domain, entries, who, id_, begins, ends) for domain, entries in by_domain.items() if domain)


def _of(domain: str, entries: list[_Entry], reporter: str, id_: str, begins: int, ends: int) -> Report:
    details = [detail for entry in entries for detail in entry.failure_details]
    failures = tuple(
        Failure(
            text(d.result_type, 60), number(max(0, d.failed_session_count)), name(d.receiving_mx_hostname),
            text(d.sending_mta_ip, 45), text(d.receiving_ip, 45), text(d.failure_reason_code, 120),
        )
        for d in details[:ROWS]
    )  # fmt: skip
    good = sum(number(max(0, e.summary.total_successful_session_count)) for e in entries)
    bad = sum(number(max(0, e.summary.total_failure_session_count)) for e in entries)
    policy = ", ".join(dict.fromkeys(text(e.policy.policy_type, 30) for e in entries))
    more = sum(number(max(0, d.failed_session_count)) for d in details[ROWS:])
    return Report("tls", domain, reporter, id_, begins, ends, good, bad, policy, (), failures, more)


def _moment(value: str) -> int:
    at = datetime.fromisoformat(value.strip()[:40].replace("Z", "+00:00"))
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0, int(at.timestamp()) * 1_000_000)
