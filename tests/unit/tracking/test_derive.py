"""From raw requests to features: nothing of the request stays, any bytes are answered, in bounded time."""

import gc
import itertools
import time

import msgspec
import pytest

from carepost.tracking import clients
from carepost.tracking.derive import derive
from carepost.tracking.networks import parse
from carepost.tracking.types import CLIENTS, NETWORKS, Request, Seen, decode, encode

pytestmark = pytest.mark.fast

TABLE = parse(["192.0.2.0/24 hosting", "2001:db8::/32 relay"])
SALT = b"sixteen bytes of an organisation"
CHROME = (
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
)


def request(*headers: tuple[bytes, bytes], address: str = "73.1.2.3", **more: object) -> Request:
    fields: dict[str, object] = {
        "kind": "click",
        "role": "link",
        "method": "GET",
        "since": 5_000_000,
        "day": 20_779,
        "link": 1,
    }
    return Request(address=address, headers=headers, **(fields | more))  # type: ignore[arg-type]


def seen(*headers: tuple[bytes, bytes], **more: object) -> Seen:
    return derive(request(*headers, **more), salt=SALT, networks=TABLE)  # type: ignore[arg-type]


def test_nothing_of_address_or_agent_is_in_what_is_stored() -> None:
    kept = encode(
        seen((b"User-Agent", CHROME), (b"Referer", b"https://mail.example/inbox/7431"), address="73.141.59.26")
    )
    for secret in (b"73.141", b"Mozilla", b"Windows NT", b"156", b"7431", b"mail.example"):
        assert secret not in kept


def test_the_tags_of_place_and_agent_have_twelve_bits_and_are_an_organisations_own() -> None:
    many = [seen((b"User-Agent", CHROME), address=f"73.1.{n}.9") for n in range(250)]
    assert all(0 <= one.place < 4096 and 0 <= one.agent < 4096 for one in many)
    assert len({one.place for one in many}) > 200
    other = derive(request((b"User-Agent", CHROME)), salt=b"another organisation's", networks=TABLE)
    assert (other.place, other.agent) != (seen((b"User-Agent", CHROME)).place, seen((b"User-Agent", CHROME)).agent)


def test_neighbours_in_one_small_network_are_one_place() -> None:
    assert seen(address="73.1.2.3").place == seen(address="73.1.2.250").place != seen(address="73.1.3.3").place
    assert seen(address="2600:1700:1:2::3").place == seen(address="2600:1700:1:ff::9").place
    assert seen(address="::ffff:73.1.2.3").place == seen(address="73.1.2.3").place


def test_what_is_stored_is_read_back_by_older_and_newer_readers() -> None:
    one = seen((b"User-Agent", CHROME), (b"Accept-Language", b"de"))
    assert decode(encode(one)) == one
    newer = msgspec.json.encode(msgspec.json.decode(encode(one)) | {"v": 9, "tomorrow": ["x"], "network": "moon"})
    read = decode(newer)
    assert (read.v, read.network) == (9, "moon")
    assert decode(b'{"kind":"open","role":"pixel","since":12}').v == 1
    with pytest.raises(msgspec.DecodeError):
        decode(b"{")


def test_headers_of_a_real_browser_are_read() -> None:
    one = seen(
        (b"User-Agent", CHROME),
        (b"sec-ch-ua", b'"Not:A-Brand";v="8", "Chromium";v="156", "Google Chrome";v="156"'),
        (b"sec-ch-ua-platform", b'"Windows"'),
        (b"Accept", b"text/html,*/*"),
        (b"Accept-Encoding", b"gzip, deflate, br, zstd"),
        (b"Accept-Language", b"en-US"),
        (b"Sec-Fetch-Site", b"cross-site"),
        (b"Sec-Fetch-Mode", b"navigate"),
        (b"Sec-Fetch-User", b"?1"),
        (b"Upgrade-Insecure-Requests", b"1"),
        (b"Referer", b"https://mail.example/"),
    )
    assert (one.client, one.platform, one.age, one.impossible) == ("chrome", "windows", 0, False)
    assert (one.fetch, one.origin, one.hints, one.accept, one.coding) == ("user", "cross", "agrees", "html", "modern")
    assert one.language and one.upgrade and one.referer == "webmail"


@pytest.mark.parametrize(
    ("brands", "system", "expected"),
    [
        (b'"Chromium";v="131"', b'"Windows"', "differs"),
        (b'"Chromium";v="156"', b'"Linux"', "differs"),
        (b'"HeadlessChrome";v="156", "Chromium";v="156"', b'"Windows"', "headless"),
        (b"", b"", "none"),
    ],
    ids=["version", "system", "headless", "absent"],
)
def test_brands_are_held_against_the_name(brands: bytes, system: bytes, expected: str) -> None:
    assert seen((b"User-Agent", CHROME), (b"Sec-CH-UA", brands), (b"Sec-CH-UA-Platform", system)).hints == expected


def test_without_tls_what_browsers_send_only_there_is_unsaid() -> None:
    one = seen((b"User-Agent", CHROME), secure=False)
    assert (one.fetch, one.hints) == ("unsaid", "unsaid")


def test_an_old_version_that_sends_new_headers_is_impossible() -> None:
    old = CHROME.replace(b"156", b"57")
    assert seen((b"User-Agent", old), (b"Sec-Fetch-Mode", b"navigate")).impossible
    assert not seen((b"User-Agent", old)).impossible


@pytest.mark.parametrize("name", [b"Purpose", b"Sec-Purpose", b"X-Moz", b"X-Purpose"])
def test_fetching_ahead_is_seen(name: bytes) -> None:
    assert seen((b"User-Agent", CHROME), (name, b"prefetch;anonymous-client-ip")).ahead
    assert not seen((b"User-Agent", CHROME), (name, b"document")).ahead


HOSTILE = [
    (),
    ((b"User-Agent", b""),),
    ((b"User-Agent", b"\0" * 4_000),),
    ((b"User-Agent", b"\xff\xfe" * 3_000), (b"Accept", b"\x80" * 4_000)),
    ((b"User-Agent", b"Mozilla/5.0 (" + b"(" * 1_000),),
    ((b"User-Agent", b"Mozilla/5.0 (compatible; " + b"a; " * 300),),
    ((b"User-Agent", b"Mozilla/5.0 Trident/" + b"7.0 rv:" * 140),),
    ((b"User-Agent", b"Chrome/" + b"9" * 900),),
    ((b"User-Agent", b"Mozilla/5.0 Chrome/99999999999"),),
    ((b"Sec-CH-UA", b'"Chromium";v="' * 500),),
    ((b"Referer", b"https://" + b"a." * 3_000),),
    ((b"User-Agent", CHROME), (b"User-Agent", b"curl/8")),
    tuple((b"X-%d" % n, b"y" * 100) for n in range(5_000)),
    ((b"A" * 100_000, b"b"),),
    ((b"Accept", b"a" * 1_000_000),),
]


@pytest.mark.parametrize("headers", HOSTILE, ids=[str(n) for n in range(len(HOSTILE))])
@pytest.mark.parametrize(
    "address", ["73.1.2.3", "", "999.1.1.1", "::1%" + "z" * 9_000, "[2001:db8::1]", "\0", "१.२.३.४"]
)
def test_hostile_bytes_are_answered(headers: tuple[tuple[bytes, bytes], ...], address: str) -> None:
    one = seen(*headers, address=address, method="PROPFIND\r\n")
    assert one.network in NETWORKS and one.client in CLIENTS and one.method == "other"
    assert decode(encode(one)) == one and len(encode(one)) < 600


def test_a_giant_request_costs_no_more_than_a_small_one_by_a_bounded_factor() -> None:
    """BI: 10 MB of headers are looked at for 8 KiB."""
    giant = request(*((b"X-Header-%d" % n, b"z" * 1_000) for n in range(10_000)))
    began = time.process_time()
    for _ in range(20):
        derive(giant, salt=SALT, networks=TABLE)
    assert time.process_time() - began < 2.0


WORDS = (
    "mozilla/5.0 (",
    "compatible; ",
    "trident/7.0; ",
    "rv:",
    "version/",
    "mobile/",
    "safari/",
    "yahoo",
    "mail",
    "bot",
    "-",
    "@a",
)


@pytest.mark.parametrize(
    "words", list(itertools.combinations(WORDS, 2)), ids=lambda pair: "".join(pair).replace("/", "")
)
def test_no_name_makes_the_reading_of_it_slow(words: tuple[str, str]) -> None:
    agent = "mozilla/5.0 " + (words[0] + words[1]) * 500
    gc.disable()  # the heap of a whole run's tests is not what is measured
    try:
        began = time.process_time()
        clients.read(agent, 20_779)
        assert time.process_time() - began < 0.5
    finally:
        gc.enable()
