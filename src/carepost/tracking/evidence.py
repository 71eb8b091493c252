"""What a hit says by itself: request, name, network, headers, time. Codes of `reasons.REASONS`."""

from typing import Final

from carepost.tracking.types import Seen

_SAID: Final = frozenset({"library", "crawler", "scanner", "preview", "headless", "missing"})
_PROXIES: Final = frozenset({"gmail-proxy", "yahoo-proxy", "outlook-proxy"})
#: where computers are rented
RENTED: Final = frozenset({"microsoft", "google", "amazon", "hosting"})
#: and those of makers of mail security
CLOUDS: Final = RENTED | {"gateway"}
#: years within which a version surely sends Sec-Fetch-* (Chromium 80, Firefox 90, Safari 16.4, Samsung 12)
_FETCH_YEARS: Final = {"chrome": 6, "edge": 6, "opera": 5, "samsung": 4, "webview": 5, "firefox": 4, "safari": 2}
#: years within which Chromium surely sends Sec-CH-UA (89)
_HINT_YEARS: Final = 4
_CHROMIUM: Final = frozenset({"chrome", "edge", "opera", "samsung"})
#: what proxies and guards are known to take away
_STRIPPED: Final = frozenset({"no-language", "no-hints", "no-coding"})
_TELLING: Final = frozenset({"chrome", "edge", "firefox", "opera", "samsung"})
BROWSERS: Final = frozenset({"chrome", "edge", "firefox", "safari", "opera", "samsung", "ie", "webview"})
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
#: years: what is older is an Internet Explorer before 11
_BEFORE_IE_11: Final = 15
#: years
_KEPT: Final = 3
TELEPHONES: Final = frozenset({"ios", "android"})


def cloud_desk(seen: Seen) -> bool:
    """A browser of a desktop in a data centre: a machine, or a person whose desktop is rented."""
    return seen.network in CLOUDS and seen.platform not in TELEPHONES


def _name(seen: Seen) -> list[str]:
    if seen.client in _SAID:
        return [seen.client]
    if seen.client == "gmail-prefetch":
        return ["gmail-prefetch"]
    if seen.kind == "click":
        if seen.client in _PROXIES or seen.client == "mpp":
            return ["proxy-click"]
        if seen.client in ("app", "office", "other"):
            return [seen.client]
    return []


def _network(seen: Seen) -> list[str]:
    if seen.network == "gateway":
        return ["gateway"]
    # few people sit at Linux, and fewer of those who rent a desktop; most machines run on it
    linux = seen.kind == "click" and seen.platform == "linux" and seen.client in BROWSERS
    if seen.network in RENTED:
        # telephones stand in no data centre: most of these are people behind a VPN
        # and machines are made anew more often than desktops: what is old there is somebody's
        linux = linux and seen.age < _KEPT
        return ["cloud-phone" if not cloud_desk(seen) else "cloud-linux" if linux else "cloud"]
    return (["unlisted"] if seen.network == "unlisted" else []) + (["linux"] if linux else [])


def _headers(seen: Seen) -> list[str]:
    """Only of who claims to be a browser: mail programs and text browsers send what they like."""
    if seen.client not in BROWSERS or (seen.kind == "open" and seen.client == "webview"):
        return []
    found = []
    apple = seen.platform == "ios"
    age = seen.age if seen.age >= 0 else (0 if apple and seen.client != "safari" else 99)
    if not seen.language:
        found.append("no-language")
    if seen.fetch == "none" and age <= (2 if apple else _FETCH_YEARS.get(seen.client, -1)):
        found.append("no-fetch")
    if seen.hints == "none" and seen.client in _CHROMIUM and not apple and age <= _HINT_YEARS:
        found.append("no-hints")
    if seen.hints == "headless":
        found.append("hints-headless")
    elif seen.hints == "differs":
        found.append("hints-differ")
    if seen.impossible:
        found.append("impossible")
    if seen.coding == "none":
        found.append("no-coding")
    if seen.kind == "open" and (seen.accept == "html" or seen.fetch in ("user", "navigation")):
        found.append("as-page")
    if seen.kind == "click":
        if seen.accept != "html":
            found.append("accept")
        if seen.fetch in ("other", "image") or (
            seen.fetch == "navigation" and seen.client not in ("safari", "webview") and not apple
        ):
            found.append("no-gesture")
    if not found:
        # of a version too old to say more, headers that are whole say nothing
        if seen.fetch != "none" or seen.client not in _TELLING:
            found.append("complete")
    elif seen.kind == "click" and seen.fetch == "user" and _STRIPPED.issuperset(found):
        found.append("gesture")
    # telephones are kept for as long as they last; scanners claim old desktops
    if (
        seen.client in ("chrome", "edge", "firefox", "opera")
        and seen.platform not in ("ios", "android")
        and seen.age >= 3
    ):
        found.append("very-old" if seen.age >= 6 else "old")
    # before version 11 it does not speak today's TLS: nobody's browser comes here by it
    if seen.client == "ie" and seen.age >= _BEFORE_IE_11:
        found.append("very-old")
    if seen.kind == "click" and seen.origin == "cross" and seen.fetch in ("user", "navigation"):
        found.append("cross")
    return found


def _time(seen: Seen) -> list[str]:
    if seen.provisional:
        return []
    if seen.since < 0:
        # a 250 is on record when it has come back: up to a second after the server had the message
        return ["before"] if seen.since < -_SECOND else ["instant"]
    if seen.since < _SECOND:
        return ["instant"]
    if seen.since < 2 * _SECOND:
        return ["soon"]
    # gateways look within minutes (tracking.md 2.2), and leave from data centres
    if seen.kind == "click" and cloud_desk(seen) and seen.origin != "cross" and seen.since < 5 * _MINUTE:
        return ["early" if seen.since < _MINUTE else "early-minutes"]
    return []


def of(seen: Seen) -> list[str]:
    """All that this hit alone says."""
    found = []
    if seen.role == "decoy":
        found.append("decoy")
    if seen.method in ("HEAD", "OPTIONS", "other"):
        found.append("method")
    if seen.ahead:
        found.append("ahead")
    if seen.altered:
        found.append("altered")
    return found + _name(seen) + _network(seen) + _headers(seen) + _time(seen)
