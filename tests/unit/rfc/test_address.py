"""SMTP paths and header mailboxes: one strict reading, or a refusal that quotes nothing."""

import pytest

from carepost.rfc.address import Mailbox, domain, format_mailbox, matching, parse_mailboxes, parse_path
from carepost.rfc.errors import AddressError

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("pat@verified.test", "pat@verified.test"),
        ("Pat.Q@Verified.TEST", "Pat.Q@verified.test"),
        ("pat+tag@a-b.example", "pat+tag@a-b.example"),
        ('"pat"@verified.test', "pat@verified.test"),
        ('"pat quinn"@verified.test', '"pat quinn"@verified.test'),
        (r'"pa\t"@verified.test', "pat@verified.test"),
        (r'"a\"b"@verified.test', r'"a\"b"@verified.test'),
        ("pat@xn--bcher-kva.example", "pat@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_form(given: str, expected: str) -> None:
    assert parse_path(given) == expected
    assert parse_path(expected) == expected


@pytest.mark.parametrize("route", ["user%other@dom.test", "other!user@dom.test"])
def test_routes_in_a_local_part_are_only_a_local_part(route: str) -> None:
    """BI-019: nothing looks inside it, so nothing is relayed by it."""
    assert parse_path(route) == route
    assert domain(parse_path(route)) == "dom.test"


@pytest.mark.parametrize(
    ("given", "code", "enhanced", "reply"),
    [
        ("", "address-empty", "5.1.3", 501),
        ("pat", "address-syntax", "5.1.3", 501),
        ("@verified.test", "address-route", "5.1.3", 501),
        ("pat@", "address-syntax", "5.1.3", 501),
        ("a" * 65 + "@verified.test", "address-long", "5.1.3", 553),
        ("a" * 60 + "@" + "b" * 60 + "." + ("c" * 60 + ".") * 3 + "test", "address-long", "5.1.3", 553),
        ("pat@" + "b" * 64 + ".test", "address-domain", "5.1.2", 553),
        ("user@[127.0.0.1]", "address-literal", "5.1.3", 501),
        ("user@[IPv6:::1]", "address-literal", "5.1.3", 501),
        ("user@127.0.0.1", "address-domain", "5.1.2", 501),
        ("@a.test,@b.test:u@c.test", "address-route", "5.1.3", 501),
        ("pat@localhost", "address-domain", "5.1.2", 501),
        ("pat@verified.test.", "address-domain", "5.1.2", 501),
        ("pat@-a.test", "address-domain", "5.1.2", 501),
        ("pat@a_b.test", "address-domain", "5.1.2", 501),
        ("pat..q@verified.test", "address-syntax", "5.1.3", 501),
        (".pat@verified.test", "address-syntax", "5.1.3", 501),
        ("pat q@verified.test", "address-syntax", "5.1.3", 501),
        ('"a b\r\nDATA"@x.test', "address-control", "5.1.3", 501),
        ("pat\0@x.test", "address-control", "5.1.3", 501),
        ("pat@x.test\r\nRCPT TO:<b@c.test>", "address-control", "5.1.3", 501),
        ("pat@x.test\n", "address-domain", "5.1.2", 501),
        ('"pat@x.test', "address-syntax", "5.1.3", 501),
        ('""@x.test', "address-syntax", "5.1.3", 501),
        ("pat@xn--a.test", "address-domain", "5.1.2", 501),
        ("pät@verified.test", "address-utf8", "5.6.7", 553),
        ("pat@bücher.example", "address-utf8", "5.6.7", 553),
    ],
)
def test_what_is_refused_and_how(given: str, code: str, enhanced: str, reply: int) -> None:
    """BI-016, BI-017, BI-018, BI-021."""
    with pytest.raises(AddressError) as error:
        parse_path(given)
    assert (error.value.code, error.value.enhanced, error.value.reply) == (code, enhanced, reply)
    assert not given or given not in str(error.value)


def test_utf8_needs_smtputf8_and_the_domain_becomes_a_labels() -> None:
    """BI-021."""
    assert parse_path("pät@Bücher.example", utf8=True) == "pät@xn--bcher-kva.example"
    # IDNA 2008: not the "ss" of 2003, which is someone else's domain
    assert parse_path("pat@faß.example", utf8=True) == "pat@xn--fa-hia.example"
    assert parse_path("", null_ok=True) == ""


@pytest.mark.parametrize("hidden", ["pa\u200bt", "pa\u202et", "pa\u00a0t", "pa\u0085t", "\ufeffpat"])
def test_invisible_characters_are_refused(hidden: str) -> None:
    """BI-063."""
    with pytest.raises(AddressError):
        parse_path(f"{hidden}@verified.test", utf8=True)


def test_spellings_of_one_mailbox_meet() -> None:
    """BI-063: NFC and NFD, upper and lower case."""
    assert matching("Pa\u0308t@x.test") == matching("pät@x.test") == matching("P\u00c4T@x.test")
    assert matching("Pat@x.test") == "pat@x.test"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pat@verified.test", [Mailbox("", "pat@verified.test")]),
        ("<pat@verified.test>", [Mailbox("", "pat@verified.test")]),
        ("Pat Quinn <pat@verified.test>", [Mailbox("Pat Quinn", "pat@verified.test")]),
        ("Dr. Pat Q. Quinn <pat@verified.test>", [Mailbox("Dr. Pat Q. Quinn", "pat@verified.test")]),
        ('"Quinn, Pat" <pat@verified.test>', [Mailbox("Quinn, Pat", "pat@verified.test")]),
        (r'"Pat \"P\" Quinn" <pat@verified.test>', [Mailbox('Pat "P" Quinn', "pat@verified.test")]),
        ("=?utf-8?q?P=C3=A4t?= <pat@verified.test>", [Mailbox("Pät", "pat@verified.test")]),
        ("(note (nested)) pat@verified.test (Pat)", [Mailbox("", "pat@verified.test")]),
        ("a@x.test, B <b@x.test>", [Mailbox("", "a@x.test"), Mailbox("B", "b@x.test")]),
        ("undisclosed-recipients:;", []),
        ("Team: a@x.test, b@x.test;", [Mailbox("", "a@x.test", "Team"), Mailbox("", "b@x.test", "Team")]),
        ("Pät <pät@x.test>", [Mailbox("Pät", "pät@x.test")]),
    ],
)
def test_mailboxes(value: str, expected: list[Mailbox]) -> None:
    assert parse_mailboxes(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "<>",
        "Pat",
        "<a@good.test> <b@evil.test>",
        "a@good.test <b@evil.test>",
        "a@good.test b@evil.test",
        "a @ good.test",
        "a@x.test,",
        ",a@x.test",
        "a@x.test,,b@x.test",
        "Team: a@x.test",
        "Team: In: a@x.test;;",
        "a@[127.0.0.1]",
        '"a\r\nTo: b" <c@d.test>',
        "a@x.test\nBcc: b@x.test",
        "a@x.test\0",
        '"',
        "(" * 40 + ")" * 40 + "a@x.test",
        "(a@x.test",
        "<a@x.test",
        "a@x.test>",
        '"a" <a@[1.2.3>',
        "Doe, =?utf-8?q?J?= <a@x.test>",
        "=?utf-8?q?Doe,_J?= <a@x.test>",
    ],
)
def test_a_list_with_a_second_reading_is_refused(value: str) -> None:
    """BI-046, BI-047, BI-048 (CVE-2023-27043 type), and what makes the standard library crash."""
    with pytest.raises(AddressError):
        parse_mailboxes(value)


def test_a_group_is_no_author() -> None:
    """BI-047."""
    with pytest.raises(AddressError):
        parse_mailboxes("Team: a@x.test;", groups=False)


def test_twenty_thousand_addresses_are_too_many() -> None:
    """BI-050."""
    with pytest.raises(AddressError):
        parse_mailboxes(",".join(f"a{n}@x.test" for n in range(20_000)))


@pytest.mark.parametrize("name", ["a@good.test", "x, y@evil.test", "a\u202eb", "=?utf-8?q?=0ABcc:_x?="])
def test_a_display_name_never_becomes_structure(name: str) -> None:
    """BI-044, BI-048, BI-049: an encoded comma, address or line end stays a name."""
    coded = "=?utf-8?b?" + __import__("base64").b64encode(name.encode()).decode() + "?="
    for value in (f"{coded} <c@d.test>", format_mailbox(name, "c@d.test")):
        (mailbox,) = parse_mailboxes(value.replace("\r\n", ""))
        assert mailbox.address == "c@d.test"
        assert mailbox.name.isprintable()


@pytest.mark.parametrize(
    "name", ["Pat Quinn", "Quinn, Pat", 'Pat "P" Quinn', "O\\Brien", "Päivi Ölmäki", "名前", "a <b@c.test>", "é" * 200]
)
def test_a_name_survives_the_round_trip(name: str) -> None:
    """BI-049 (CVE-2025-1795 type): the address set is the same."""
    value = format_mailbox(name, "c@d.test")
    assert max(map(len, value.split("\r\n"))) <= 100
    assert parse_mailboxes(value.replace("\r\n", "")) == [Mailbox(name, "c@d.test")]


@pytest.mark.parametrize("name", ["a\r\nTo: b", "a\n", "a\rb", "a\0b", "a\u2028b", "a\x85b"])
def test_a_name_with_a_control_character_is_refused(name: str) -> None:
    """BI-045, BI-046."""
    with pytest.raises(AddressError):
        format_mailbox(name, "c@d.test")


@pytest.mark.parametrize(
    "value", ["ann@maple.test", "Ann.O'Hara+x@Maple.TEST", "a..b@maple.test", "ann@maple", "@x.test"]
)
def test_an_address_alone_reads_as_in_angle_brackets(value: str) -> None:
    """It has a short way of its own through `parse_mailboxes`; what it comes to, or is refused for, is the same."""
    seen: list[object] = []
    for text in (value, f"<{value}>", f" {value} "):
        try:
            seen.append(parse_mailboxes(text))
        except AddressError as error:
            seen.append(error.code)
    assert seen[0] == seen[2] and (seen[1] == seen[0] or isinstance(seen[0], str))
