"""Who lives in the sandbox: every domain, what its DNS says and how its mail server behaves, as one table.

DNS, certificates, mail servers and the table of expected outcomes are all built from here.
"""

import enum

import msgspec

ZONE = "test."
ORGANISATION = "clinic.test"
LOOPBACK = "127.0.0.1"


class Certificate(enum.StrEnum):
    """What the server shows in TLS. OWN_DOMAIN names the domain and not the MX host."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"
    OWN_DOMAIN = "own-domain"


class Starttls(enum.StrEnum):
    """FIRST_LOOK: announced once, then answered 454 and gone. FIRST_SESSION: works once, then is gone.
    INJECTED: plaintext follows the 220 in the same packet (BI-009). OLD: speaks TLS 1.1 at most and answers any
    other hello with OpenSSL's alert (BI-039); nothing is taken over what it speaks."""

    ALWAYS = "always"
    NEVER = "never"
    FIRST_LOOK = "first-look"
    FIRST_SESSION = "first-session"
    INJECTED = "injected"
    OLD = "old"


class Behaviour(enum.StrEnum):
    """What becomes of a message once the connection stands."""

    ACCEPT = "accept"
    GREYLIST = "greylist"  # 450 at the first RCPT of a pair, then 250
    FULL = "full"  # 452 at RCPT
    UNKNOWN_USER = "unknown-user"  # 550 5.1.1 at RCPT
    HANG_UP = "hang-up"  # the connection ends at DATA, before any 354
    LOSE_REPLY = "lose-reply"  # takes the message, then the connection ends instead of the 250 (BI-023)
    REJECT_CONTENT = "reject-content"  # 554 5.6.0 after the dot
    SMALL = "small"  # SIZE 1000, 552 beyond
    BABBLE = "babble"  # an EHLO reply that never ends (BI-024)
    CLOSED = "closed"  # nobody listens


class Dns(enum.StrEnum):
    """How the domain's zone stands. INSECURE: delegated without a DS record."""

    INSECURE = "insecure"
    SIGNED = "signed"
    BOGUS = "bogus"  # a DS record, and signatures that do not verify
    BOGUS_TLSA = "bogus-tlsa"  # only the TLSA answer does not verify (BI-033)
    DEAF = "deaf"  # queries are never answered


class Tlsa(enum.StrEnum):
    NONE = ""
    MATCH = "match"  # 3 1 1 of the server's key
    MISMATCH = "mismatch"
    UNUSABLE = "unusable"  # usage 1 only (BI-034)


class MtaSts(enum.StrEnum):
    NONE = ""
    ENFORCE = "enforce"
    TESTING = "testing"
    OTHER_MX = "other-mx"  # enforce, and this MX host is not in it


class Publishes(enum.StrEnum):
    """Where its people's keys can be found by whoever looks."""

    NOTHING = ""
    SMIMEA = "smimea"
    OPENPGPKEY = "openpgpkey"
    WKD = "wkd"
    WKD_DIRECT = "wkd-direct"  # no host of its own: at the domain itself
    WKD_MOVED = "wkd-moved"  # its host redirects to the domain itself


class Domain(msgspec.Struct, frozen=True):
    """One domain. `mx` empty: `mx.<domain>`; `raw_mx` replaces the MX records altogether (preference, target)."""

    name: str
    #: what this side offers, for people
    offers: str
    certificate: Certificate = Certificate.VALID
    starttls: Starttls = Starttls.ALWAYS
    behaviour: Behaviour = Behaviour.ACCEPT
    dns: Dns = Dns.INSECURE
    tlsa: Tlsa = Tlsa.NONE
    mta_sts: MtaSts = MtaSts.NONE
    #: seconds before each reply
    delay: float = 0.0
    raw_mx: tuple[tuple[int, str], ...] | None = None
    #: a mail server of its own
    serves: bool = True
    publishes: Publishes = Publishes.NOTHING

    @property
    def mx(self) -> str:
        """The host its own mail server is called."""
        return f"mx.{self.name}" if self.raw_mx is None else self.raw_mx[-1][1] if self.raw_mx else self.name

    @property
    def policy_host(self) -> str:
        return f"mta-sts.{self.name}"

    @property
    def key_hosts(self) -> tuple[str, ...]:
        """Of its Web Key Directory: where it is asked for, and where the keys are."""
        own = f"openpgpkey.{self.name}"
        by_place = {
            Publishes.WKD: (own,),
            Publishes.WKD_DIRECT: (self.name,),
            Publishes.WKD_MOVED: (own, self.name),
        }
        return by_place.get(self.publishes, ())


SELF_SIGNED = Certificate.SELF_SIGNED

#: the domains of DESIGN 6, in the order they are shown
DOMAINS = (
    Domain("verified.test", "TLS, certificate of a known CA for its MX name"),
    Domain("mtasts.test", "TLS and an MTA-STS policy in force", mta_sts=MtaSts.ENFORCE),
    Domain("dane.test", "TLS and a signed TLSA record (DANE)", SELF_SIGNED, dns=Dns.SIGNED, tlsa=Tlsa.MATCH),
    Domain("selfsigned.test", "TLS with a certificate nobody vouches for", SELF_SIGNED),
    Domain("expired.test", "TLS with an expired certificate", Certificate.EXPIRED),
    Domain("wrongname.test", "TLS with another host's certificate", Certificate.WRONG_NAME),
    Domain("plain.test", "no TLS at all", starttls=Starttls.NEVER),
    Domain("stripped.test", "TLS announced once, then gone", starttls=Starttls.FIRST_LOOK),
    Domain("smime.test", "TLS nobody vouches for; an S/MIME certificate", SELF_SIGNED),
    Domain("pgp.test", "TLS nobody vouches for; an OpenPGP key", SELF_SIGNED),
    Domain("greylist.test", "TLS; asks to come back once", behaviour=Behaviour.GREYLIST),
    Domain("slow.test", "TLS; every reply takes its time", delay=0.4),
    Domain("full.test", "TLS; the mailbox is full (452)", behaviour=Behaviour.FULL),
    Domain("bounce.test", "TLS; there is no such mailbox (550)", behaviour=Behaviour.UNKNOWN_USER),
    Domain("hangup.test", "TLS; hangs up before the message", behaviour=Behaviour.HANG_UP),
)

#: the organisation's own side, where replies and DSNs arrive
CLINIC = Domain(ORGANISATION, "TLS, certificate of a known CA: the organisation's own mail server")

#: further sides that tests need; not in the demo's table
EXTRAS = (
    Domain("signed.test", "TLS, known CA, MX name from signed DNS", dns=Dns.SIGNED),
    Domain("owncert.test", "TLS, the certificate names the domain itself", Certificate.OWN_DOMAIN),
    Domain("implicit.test", "no MX record: the domain is its own mail server", raw_mx=()),
    Domain("tlsamismatch.test", "a signed TLSA record of another key", SELF_SIGNED, dns=Dns.SIGNED, tlsa=Tlsa.MISMATCH),
    Domain(
        "tlsaunusable.test", "a signed TLSA record of usage 1 only", SELF_SIGNED, dns=Dns.SIGNED, tlsa=Tlsa.UNUSABLE
    ),
    Domain("tlsafail.test", "the TLSA answer does not verify", dns=Dns.BOGUS_TLSA, tlsa=Tlsa.MATCH),
    Domain("bogus.test", "no DNS answer verifies", dns=Dns.BOGUS),
    Domain("deaf.test", "its name servers never answer", dns=Dns.DEAF, serves=False),
    Domain("stsother.test", "MTA-STS in force for another MX", mta_sts=MtaSts.OTHER_MX),
    Domain("ststesting.test", "MTA-STS in testing", mta_sts=MtaSts.TESTING),
    Domain("nullmx.test", "takes no mail (null MX)", raw_mx=((0, "."),), serves=False),
    Domain("cnamemx.test", "its MX is an alias", raw_mx=((10, "alias.cnamemx.test"),), serves=False),
    Domain("privatemx.test", "its MX has a private address", raw_mx=((10, "mx.privatemx.test"),), serves=False),
    Domain("literalmx.test", "its MX is an address", raw_mx=((10, "127.0.0.1"),), serves=False),
    Domain("lostmx.test", "its MX does not exist", raw_mx=((10, "nowhere.lostmx.test"),), serves=False),
    Domain("empty.test", "exists, with neither MX nor address", raw_mx=(), serves=False),
    Domain("manymx.test", "500 MX records", raw_mx=tuple((n, f"mx{n}.manymx.test") for n in range(500)), serves=False),
    Domain("twomx.test", "the first MX is closed", raw_mx=((10, "mx.closed.test"), (20, "mx2.twomx.test"))),
    Domain("closed.test", "nobody listens", behaviour=Behaviour.CLOSED),
    Domain("oldtls.test", "TLS 1.1 at most", starttls=Starttls.OLD),
    Domain("lapsed.test", "TLS at the first session, then none", starttls=Starttls.FIRST_SESSION),
    Domain("injecting.test", "text smuggled in before the handshake", starttls=Starttls.INJECTED),
    Domain("babble.test", "an EHLO reply without end", behaviour=Behaviour.BABBLE),
    Domain("lostreply.test", "takes the message, loses the reply", behaviour=Behaviour.LOSE_REPLY),
    Domain("reject.test", "refuses the content (554)", behaviour=Behaviour.REJECT_CONTENT),
    Domain("small.test", "takes a thousand bytes", behaviour=Behaviour.SMALL),
    Domain("smimea.test", "S/MIME certificates in signed DNS", SELF_SIGNED, dns=Dns.SIGNED, publishes=Publishes.SMIMEA),
    Domain(
        "openpgpkey.test", "OpenPGP keys in signed DNS", SELF_SIGNED, dns=Dns.SIGNED, publishes=Publishes.OPENPGPKEY
    ),
    Domain("wkd.test", "OpenPGP keys in a Web Key Directory", SELF_SIGNED, publishes=Publishes.WKD),
    Domain("wkddirect.test", "OpenPGP keys at the domain itself", SELF_SIGNED, publishes=Publishes.WKD_DIRECT),
    Domain("wkdmoved.test", "a Web Key Directory that moved", SELF_SIGNED, publishes=Publishes.WKD_MOVED),
    Domain("unsignedkeys.test", "S/MIME certificates in unsigned DNS", SELF_SIGNED, publishes=Publishes.SMIMEA),
)

ALL = (*DOMAINS, CLINIC, *EXTRAS)
BY_NAME = {domain.name: domain for domain in ALL}

#: names whose mail a domain's server takes besides its own: they are aliases (CNAME) of it in the DNS
ALIASES = {"verified.test": ("mail.cnamemx.test",)}
