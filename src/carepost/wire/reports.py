"""What the engine tells the journal of a report that came by mail (opening `report` of `report.received`)."""

import msgspec

from carepost.rfc.reports import Report

#: octets of one opening: rows beyond it are folded into the report's `more`
MOST = 64 * 1024

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder["Received"]


class Received(msgspec.Struct, frozen=True):
    """`proved`: the domain that DMARC proved the report to come from, "" where nothing was proved."""

    report: Report
    proved: str = ""
    v: int = 1


_decoder = msgspec.msgpack.Decoder(Received)


def encode(received: Received) -> bytes:
    """At most `MOST` octets: rows and failures are given up from the end, halves at a time, and stay counted."""
    encoded = _encoder.encode(received)
    while len(encoded) > MOST:
        report = received.report
        rows, failures = report.rows[: len(report.rows) // 2], report.failures[: len(report.failures) // 2]
        more = report.more + sum(r.count for r in report.rows[len(rows) :])
        more += sum(f.count for f in report.failures[len(failures) :])
        received = msgspec.structs.replace(
            received, report=msgspec.structs.replace(report, rows=rows, failures=failures, more=more)
        )
        encoded = _encoder.encode(received)
    return encoded


def decode(encoded: bytes) -> Received:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(encoded)
