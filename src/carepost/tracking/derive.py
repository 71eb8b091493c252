"""From a request to features. What comes in is never kept: the caller drops address and headers when this returns."""

import hashlib
import hmac
import re
from typing import Final

from carepost.tracking import clients
from carepost.tracking.networks import Networks, read
from carepost.tracking.types import VERSION, Request, Seen

_MOST_HEADERS: Final = 64
_MOST_BYTES: Final = 8_192
_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_AHEAD: Final = ("prefetch", "prerender", "preview")
_AHEAD_HEADERS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_WEBMAIL: Final = re.compile(
    r"https?://(?:[a-z0-9-]{1,63}\.)*(?:web)?(?:mail|outlook|owa|inbox|posta|zimbra)[a-z0-9-]{0,40}\."
)
_BRAND: Final = re.compile(r'"Chromium";v="(\d{1,4})')
_PLATFORMS: Final = {
    "windows": "windows", "macos": "mac", "linux": "linux", "android": "android", "chrome os": "chromeos",
    "chromeos": "chromeos", "ios": "ios",
}  # fmt: skip
#: first version that sends Sec-Fetch-* and Sec-CH-UA (browsers' release notes)
_FETCH_SINCE: Final = {"chrome": 76, "edge": 79, "opera": 76, "webview": 76, "samsung": 12, "firefox": 90, "safari": 16}
_PROXIED: Final = (
    "via",
    "x-bluecoat-via",
    "x-iinfo",
    "x-zscaler-client",
    "x-authenticated-user",
    "x-proxy-id",
    "x-wap-profile",
)


def _headers(request: Request) -> dict[str, str]:
    """By lower-case name; of two of one name the first."""
    found: dict[str, str] = {}
    left = _MOST_BYTES
    for name, value in request.headers[:_MOST_HEADERS]:
        left -= len(name) + len(value)
        if left < 0:
            break
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())
    return found


def _accept(value: str) -> str:
    value = value.lower()
    if not value:
        return "none"
    if "text/html" in value or "application/xhtml" in value:
        return "html"
    if "image/" in value:
        return "image"
    return "any" if value.startswith("*/*") else "other"


def _coding(value: str) -> str:
    value = value.lower()
    if "br" in value or "zstd" in value:
        return "modern"
    return "plain" if "gzip" in value or "deflate" in value else "none"


def _fetch(headers: dict[str, str], secure: bool) -> tuple[str, str]:
    """`Seen.fetch` and `Seen.origin`."""
    if not secure:
        return "unsaid", "none"
    mode, target = headers.get("sec-fetch-mode", ""), headers.get("sec-fetch-dest", "")
    origin = {"cross-site": "cross", "none": "direct", "same-site": "same", "same-origin": "same"}.get(
        headers.get("sec-fetch-site", ""), "none"
    )
    if not mode:
        return "none", origin
    if target == "image":
        return "image", origin
    if mode == "navigate":
        return ("user" if headers.get("sec-fetch-user") == "?1" else "navigation"), origin
    return "other", origin


def _hints(headers: dict[str, str], client: clients.Client, secure: bool) -> str:
    if not secure:
        return "unsaid"
    brands = headers.get("sec-ch-ua", "")
    if not brands:
        return "none"
    if "Headless" in brands:
        return "headless"
    major = _BRAND.search(brands)
    system = _PLATFORMS.get(headers.get("sec-ch-ua-platform", "").strip('"').lower(), client.platform)
    wrong = not client.chromium or (
        major and int(major[1]) != client.major and client.family not in ("samsung", "opera")
    )
    return "differs" if wrong or system != client.platform else "agrees"


def _tag(salt: bytes, what: bytes) -> int:
    """12 bits: 4,096 values for all the world's networks or agents."""
    digest = hmac.digest(salt, what, hashlib.sha256)
    return int.from_bytes(digest[:2], "big") >> 4


def _place(salt: bytes, address: str) -> int:
    found = read(address)
    if found is None:
        return -1
    kept = int(found) >> (8 if found.version == 4 else 80)
    return _tag(salt, b"place%d:%d" % (found.version, kept))


def tags(address: str, agent: str, *, salt: bytes) -> tuple[int, int]:
    """`Seen.place` and `Seen.agent` of one client, to compare it with hits; each -1 where there is none."""
    named = agent.encode("latin-1", "replace").decode("latin-1").strip()
    return _place(salt, address), _agent(salt, named)


def _agent(salt: bytes, agent: str) -> int:
    return _tag(salt, b"agent:" + agent[: clients.MOST].encode("latin-1", "replace")) if agent else -1


def _too_new(client: clients.Client, fetch: str, hints: str) -> bool:
    """Headers that the claimed version did not send yet: the name is borrowed."""
    first = _FETCH_SINCE.get(client.family)
    early = first is not None and 0 < client.major < first
    return early and (fetch not in ("none", "unsaid") or hints not in ("none", "unsaid")) and client.platform != "ios"


def derive(request: Request, *, salt: bytes, networks: Networks) -> Seen:
    """Features of one hit. `salt`: an organisation's secret of at least 16 bytes, the same for as long as hits are
    to be compared; it never leaves the organisation. Any bytes are answered; time is bounded by 8 KiB of headers."""
    headers = _headers(request)
    agent = headers.get("user-agent", "")
    client = clients.read(agent, request.day)
    fetch, origin = _fetch(headers, request.secure)
    hints = _hints(headers, client, request.secure)
    method = request.method.upper()
    return Seen(
        kind=request.kind,
        role=request.role,
        since=request.since,
        v=VERSION,
        link=request.link,
        altered=request.altered,
        provisional=request.provisional,
        method=method if method in _METHODS else "other",
        ahead=any(word in headers.get(name, "").lower() for name in _AHEAD_HEADERS for word in _AHEAD),
        network=networks.klass(request.address),
        client=client.family,
        platform=client.platform,
        age=client.age,
        impossible=client.impossible or _too_new(client, fetch, hints),
        language=bool(headers.get("accept-language", "").strip(" *")),
        accept=_accept(headers.get("accept", "")),
        coding=_coding(headers.get("accept-encoding", "")),
        fetch=fetch,
        origin=origin,
        hints=hints,
        upgrade=headers.get("upgrade-insecure-requests") == "1",
        referer="none"
        if not headers.get("referer")
        else ("webmail" if _WEBMAIL.match(headers["referer"]) else "other"),
        proxied=any(name in headers for name in _PROXIED),
        place=_place(salt, request.address),
        agent=_agent(salt, agent),
    )
