"""What strangers publish and write about themselves: SPF, DKIM, DMARC, Authentication-Results, reports. Whatever the
octets, a value or one of our refusals, within bounded questions."""

import gzip
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto import examine
from carepost.crypto.dkim_verify import MOST, verify
from carepost.rfc import authres, dkimtags, dmarc, dmarcreport, packed, spf, tlsreport
from carepost.rfc.asking import run
from carepost.rfc.errors import RfcError
from carepost.rfc.spf_check import check
from tests.support.zone import Dns

_TERMS = st.lists(
    st.sampled_from([
        "all", "a", "mx", "ptr", "exists:%{i}._x.a.test", "include:a.test", "include:b.test", "redirect=b.test",
        "ip4:192.0.2.0/24", "ip6:::/0", "a:%{d}", "exp=x.test", "mx//0", "a/33", "%", "?all", "x=%{z}", "ptr:%{p}",
    ]) | st.text(max_size=12),
    max_size=14,
)  # fmt: skip
_RECORD = _TERMS.map(lambda terms: "v=spf1 " + " ".join(terms)) | st.text(max_size=60)


def refused(read: Callable[[Any], object], given_: Any) -> None:
    """A value, or a refusal with a sentence."""
    try:
        read(given_)
    except RfcError as error:
        said = error.public
        if not said:
            raise


@settings(max_examples=300, deadline=None)
@given(_RECORD, _RECORD, st.text(max_size=40), st.text(max_size=40))
def test_spf_ends_in_a_word_within_bounds(first: str, second: str, sender: str, helo: str) -> None:
    zone = {
        name: [("TXT", text.encode("utf-8", "replace").decode("latin-1")), ("A", "192.0.2.1"), ("MX", "a.test")]
        for name, text in (("a.test", first), ("b.test", second))
    }
    dns = Dns(zone)
    verdict = run(check("192.0.2.9", helo, f"{sender}@a.test"), dns)
    assert verdict.result in ("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror")
    assert len(dns.asked) <= 150


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_texts_are_values_or_refusals(raw: bytes) -> None:
    dmarc.parse(b"v=DMARC1;" + raw)
    authres.owner(raw.decode("latin-1"))
    for read in (spf.parse, dkimtags.key, packed.open_, tlsreport.read, dmarcreport.read):
        for given_ in (raw, b"v=spf1 " + raw, b"<feedback>" + raw, gzip.compress(raw)):
            refused(read, given_)
    refused(dkimtags.signature, raw.decode("latin-1"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.lists(st.text(max_size=60), max_size=12))
def test_messages_of_any_kind_are_examined_or_refused(body: bytes, signatures: list[str]) -> None:
    fields = "".join(f"DKIM-Signature: v=1; d=a.test; s=x; h=from; {text}\r\n" for text in signatures)
    raw = fields.encode("utf-8", "replace") + b"From: a@a.test\r\n\r\n" + body
    dns = Dns({"x._domainkey.a.test": [("TXT", "v=DKIM1; p=AAAA")]})
    assert len(run(verify(raw, 0), dns)) <= MOST
    for whole in (raw, body):
        refused(lambda given_: run(examine.examine(given_, 0), dns).findings, whole)
