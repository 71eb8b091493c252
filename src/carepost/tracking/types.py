"""The values of tracking. Stored of a hit is `Seen`: features that tell kinds of clients and networks, never which one.

Closed lists are plain strings, because a row older or newer than its reader must stay readable: an unknown word counts
as nothing seen. Fields are only ever added, with defaults (`v` says which were known when it was derived)."""

import enum
from typing import Final, Literal

import msgspec

#: of the features: raised when `derive` learns to say more
VERSION: Final = 1
#: of the rules: verdicts name it; those of an older one are recomputed from the features
RULES: Final = 3

Kind = Literal["open", "click"]
#: what was asked for: the picture, a link of the message, the way out of a list, the hidden link no person sees
Role = Literal["pixel", "link", "unsubscribe", "decoy"]
#: whose the network is, as far as public tables say. `unlisted` is everybody's: homes, phones, offices
NETWORKS: Final = (
    "unlisted",  # in no table
    "gateway",  # a maker of mail security
    "microsoft",  # Azure and Microsoft 365: scanners and virtual desktops alike
    "google",  # Google's own: image proxy, prefetch
    "amazon",  # AWS
    "hosting",  # other data centres
    "relay",  # Apple's Private Relay and Mail Privacy Protection
    "webproxy",  # filters that people browse through (Zscaler, Netskope, Cisco Umbrella)
    "vpn",  # VPNs and Tor
    "yahoo",  # Yahoo's own: image proxy
    "private",  # addresses of no public network
    "unknown",  # no address, or none that can be read
)
#: what the client says it is
CLIENTS: Final = (
    "chrome",
    "edge",
    "firefox",
    "safari",
    "opera",
    "samsung",
    "ie",
    "webview",  # a browser inside an app
    "mailer",  # a mail program that shows a message
    "textual",  # lynx, w3m and the like: people, often with a screen reader
    "mpp",  # exactly `Mozilla/5.0`: Apple Mail Privacy Protection
    "gmail-prefetch",
    "gmail-proxy",
    "yahoo-proxy",
    "outlook-proxy",
    "office",  # `ms-office` and kin: Outlook, or its scanner: not settled
    "preview",  # makes a picture of a link for a chat
    "scanner",  # names a maker of mail security
    "crawler",
    "library",  # an HTTP library or command
    "headless",
    "app",  # the HTTP stack of a phone's app: fetches pictures for people, follows no links for them
    "missing",
    "other",
)


class Request(msgspec.Struct, frozen=True):
    """One hit as it came in. Never stored: `derive` makes a `Seen` of it."""

    kind: Kind
    role: Role
    method: str
    #: of the client, through declared proxies only
    address: str
    #: name and value as received; at most 64 and 8 KiB are looked at
    headers: tuple[tuple[bytes, bytes], ...]
    #: microseconds after the recipient's server took the message (its 250); negative when before
    since: int
    #: days since 1970-01-01 of the hit: how old a browser is can be told only by it
    day: int
    #: number of the link in the message, from 1; the same number for the same target; 0 for picture and decoy
    link: int = 0
    #: the token was ours but the address around it was not: path or query changed
    altered: bool = False
    #: `since` counts from the last attempt's start, because no 250 is on record yet
    provisional: bool = False
    #: it came over HTTPS: browsers send Sec-* headers only there
    secure: bool = True


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of one hit."""

    kind: Kind
    role: Role
    since: int
    #: absent means 1, for ever; `derive` writes VERSION
    v: int = 1
    link: int = 0
    altered: bool = False
    provisional: bool = False
    #: GET, HEAD, OPTIONS, POST, other
    method: str = "GET"
    #: said to fetch ahead of a person: prefetch, prerender or preview
    ahead: bool = False
    network: str = "unlisted"
    client: str = "other"
    #: windows, mac, ios, android, linux, chromeos, other, none
    platform: str = "none"
    #: years since the claimed browser came out, rounded down, at most 20; -1 not known
    age: int = -1
    #: a claimed browser that cannot be (two systems, a version not yet out, engine and name that never met)
    impossible: bool = False
    #: Accept-Language was sent
    language: bool = False
    #: Accept: html, image, any, none, other
    accept: str = "none"
    #: Accept-Encoding: modern (br or zstd), plain (gzip), none
    coding: str = "none"
    #: Sec-Fetch-*: user (said to follow a touch or click), navigation, image, other, none; unsaid: not over HTTPS
    fetch: str = "none"
    #: Sec-Fetch-Site: cross (from a page, as in webmail), direct (typed, or from another program), same, none
    origin: str = "none"
    #: Sec-CH-UA: agrees, differs, headless, none; unsaid: not over HTTPS
    hints: str = "none"
    #: Upgrade-Insecure-Requests: 1
    upgrade: bool = False
    #: Referer: webmail, other, none
    referer: str = "none"
    #: says it came through a proxy (Via, X-Forwarded-For beyond ours, X-BlueCoat-Via …)
    proxied: bool = False
    #: 12 bits of a keyed hash of the address's /24 (IPv6: /48): a million addresses share each. -1: none
    place: int = -1
    #: 12 bits of a keyed hash of the user agent. -1: none
    agent: int = -1


class Hit(msgspec.Struct, frozen=True):
    """A stored hit: `id` is the caller's, and names it in the verdict."""

    id: str
    seen: Seen


class Later(msgspec.Struct, frozen=True):
    """Something only a person does, by this recipient about this message."""

    #: session (the portal opened by a POST), reply, form, unsubscribed (by a POST)
    what: Literal["session", "reply", "form", "unsubscribed"]
    #: as in `Seen`
    since: int
    #: of the one who did it, if it came over HTTP: as in `Seen`
    place: int = -1
    agent: int = -1


class Around(msgspec.Struct, frozen=True):
    """A hit on somebody else's copy: of this message, or of another to the same domain or from the same place."""

    #: names that copy: the same for all hits on it
    copy: str
    #: when, in microseconds after **this** recipient's delivery
    at: int
    seen: Seen
    #: as last judged: verdict and reason (empty when not yet judged)
    verdict: str = ""
    reason: str = ""
    same_message: bool = False
    same_domain: bool = False


class Trail(msgspec.Struct, frozen=True):
    """All that is known of one recipient's copy of one message."""

    #: in any order; at most 2,000 are judged, the rest are like the last of them
    hits: tuple[Hit, ...]
    #: distinct links of the message a person can follow (the decoy is none)
    links: int = 0
    #: the message carried the hidden link
    decoy: bool = False
    later: tuple[Later, ...] = ()
    #: the newest 500 are looked at
    around: tuple[Around, ...] = ()


class Ruling(enum.StrEnum):
    HUMAN = "human"
    AUTOMATED = "automated"
    UNDETERMINED = "undetermined"


class Verdict(msgspec.Struct, frozen=True):
    """One hit judged."""

    id: str
    kind: Kind
    role: Role
    link: int
    verdict: Ruling
    #: of `reasons.REASONS`; `reasons.words(reason)` completes "because …"
    reason: str
    #: 0.50 to 0.99: that the verdict is right
    confidence: float
    #: every code that spoke, strongest first
    evidence: tuple[str, ...] = ()
    rules: int = RULES


class Change(msgspec.Struct, frozen=True):
    """Later evidence changed a verdict: what goes on record."""

    id: str
    before: Ruling
    after: Ruling
    reason: str


class Switch(enum.StrEnum):
    """What an account counts. Applied to the past too, for it is asked when counting."""

    ALL = "all"
    NOT_AUTOMATED = "not-automated"
    HUMAN = "human"


#: the verdicts a switch counts: for queries over stored verdicts
COUNTED: Final[dict[Switch, frozenset[Ruling]]] = {
    Switch.ALL: frozenset(Ruling),
    Switch.NOT_AUTOMATED: frozenset({Ruling.HUMAN, Ruling.UNDETERMINED}),
    Switch.HUMAN: frozenset({Ruling.HUMAN}),
}


class Counts(msgspec.Struct, frozen=True):
    """Of one kind, over any number of copies."""

    total: int = 0
    automated: int = 0
    undetermined: int = 0
    human: int = 0
    #: of the total, by the switch
    counted: int = 0


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Seen)


def encode(seen: Seen) -> bytes:
    """About 200 bytes of JSON."""
    return _ENCODER.encode(seen)


def decode(stored: bytes) -> Seen:
    """Features of this or any other version. msgspec.DecodeError when it is none."""
    return _DECODER.decode(stored)
