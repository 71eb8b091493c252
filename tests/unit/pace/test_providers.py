"""Which provider a mail host belongs to, and that the tables are whole."""

import pytest

from carepost.pace import providers, reactions
from carepost.pace.limits import Limits, least

pytestmark = pytest.mark.fast

HOSTS = [
    ("aspmx.l.google.com", "gmail"),
    ("ALT1.GMAIL-SMTP-IN.L.GOOGLE.COM.", "gmail"),
    ("smtp.google.com", "gmail"),
    ("aspmx2.googlemail.com", "gmail"),
    ("mta5.am0.yahoodns.net", "yahoo"),
    ("hotmail-com.olc.protection.outlook.com", "microsoft-consumer"),
    ("clinic-example.mail.protection.outlook.com", "microsoft-365"),
    ("clinic-example.j-v1.mx.microsoft", "microsoft-365-dane"),
    ("mx01.mail.icloud.com", "icloud"),
    ("eu-smtp-inbound-1.mimecast.com", "mimecast"),
    ("za-smtp-inbound-1.mimecast.co.za", "mimecast-za"),
    ("je-smtp-inbound-1.mimecast-offshore.com", "mimecast-offshore"),
    ("mx0a-0001.pphosted.com", "proofpoint"),
    ("d1.ess.barracudanetworks.com", "barracuda"),
    ("mx00.gmx.net", "gmx"),
    ("mx-ha02.web.de", "gmx"),
    # what only looks like one is its own
    ("mx.notgoogle.com", "notgoogle.com"),
    ("google.com.evil.example", "evil.example"),
    ("mx1.hospital.nhs.uk", "hospital.nhs.uk"),
    ("mail.clinic.co.uk", "clinic.co.uk"),
    # names let where a guess by labels went wrong
    ("mail.praxis.gv.at", "praxis.gv.at"),
    ("mx.school.k12.ma.us", "school.k12.ma.us"),
    ("mx.clinic.id.au", "clinic.id.au"),
    ("mx1.klinik.med.pl", "klinik.med.pl"),
    ("mx.clinic.github.io", "clinic.github.io"),
    ("co.uk", "co.uk"),
    ("a..b", "a..b"),
    ("mail.clinic.test", "clinic.test"),
    ("clinic.test", "clinic.test"),
    ("127.0.0.1", "127.0.0.1"),
    ("[2001:db8::1]", "[2001:db8::1]"),
    ("localhost", "localhost"),
    ("", ""),
]


@pytest.mark.parametrize(("host", "group"), HOSTS, ids=[host or "none" for host, _ in HOSTS])
def test_a_mail_host_belongs_to_one_provider(host: str, group: str) -> None:
    assert providers.group(host) == group


#: deliverability.md §2: connections, messages a connection
ASKED = {
    "default": (10, 100), "gmail": (5, 50), "yahoo": (10, 20), "microsoft-consumer": (5, 50), "microsoft-365": (5, 50),
    "microsoft-365-dane": (5, 50), "icloud": (10, 5), "comcast": (25, 1000), "mimecast": (10, 100),
    "barracuda": (10, 15), "gmx": (4, 20), "orange": (2, 100), "yahoo-japan": (2, 20), "kpn": (10, 10),
    "netvigator": (5, 10), "qq": (4, 8), "netease": (4, 7),
}  # fmt: skip


@pytest.mark.parametrize("group", sorted(ASKED))
def test_limits_are_those_of_the_table(group: str) -> None:
    limits = providers.find(group).limits
    assert (limits.connections, limits.messages) == ASKED[group]


def test_the_default_and_japan_have_rates() -> None:
    assert providers.find("default").limits == Limits(connections=10, messages=100, per_minute=6000, dials=100)
    assert providers.find("yahoo-japan").limits.per_minute == 600
    assert providers.find("clinic.test").limits == providers.find("default").limits
    assert providers.named("gmail")
    assert not providers.named("clinic.test")
    assert not providers.named("default")


def test_no_suffix_belongs_to_two_providers() -> None:
    suffixes = [suffix for one in providers.TABLE.values() for suffix in one.mx]
    assert len(suffixes) == len(set(suffixes))


def test_every_reaction_does_something_and_says_why() -> None:
    assert len(reactions.BY_ID) == len(reactions.TABLE)
    for one in reactions.TABLE:
        assert one.suspend or one.ladder or not one.limits.unlimited
        assert one.words
        assert 5 * 60_000_000 <= one.lasts <= 240 * 60_000_000


def test_limits_combine() -> None:
    base = Limits(connections=5, messages=50)
    assert base.stricter(Limits(connections=1, per_minute=1)) == Limits(connections=1, messages=50, per_minute=1)
    assert Limits(connections=9).over(base) == Limits(connections=9, messages=50)
    assert (least(0, 3), least(3, 0), least(2, 3), least(0, 0)) == (3, 3, 2, 0)
