"""What a user agent says it is: family, platform, age. Our own short reading: a report needs families, not models, and
most machines that matter wear a browser's name, so a long list of crawlers would find few of them (bench/tracking)."""

import itertools
import re
from typing import Final

import msgspec

#: characters of a user agent looked at
MOST: Final = 1_024

#: Gmail's prefetch, exactly (SparkPost, 25 Jan 2022), and its sampling of links
_PREFETCH: Final = re.compile(
    r"Mozilla/5\.0 \(Windows NT 10\.0; Win64; x64\) AppleWebKit/537\.36 \(KHTML, like Gecko\)"
    r" Chrome/42\.0\.2311\.135 Safari/537\.36 Edge/12\.246(?: Mozilla/5\.0| Gmail-content-sampling)"
)
#: first match counts; compared in lower case
_DECLARED: Final = (
    ("gmail-proxy", re.compile(r"googleimageproxy")),
    ("yahoo-proxy", re.compile(r"yahoomailproxy")),
    ("outlook-proxy", re.compile(r"outlookimageproxy|outlook-image|microsoft-outlook-proxy")),
    ("scanner", re.compile(
        r"safelinks|urldefense|barracuda|mimecast|proofpoint|forcepoint|symantec|messagelabs|trend ?micro|sophos"
        r"|zscaler|fireeye|trellix|ironport|fortiguard|fortinet|mcafee|kaspersky|bitdefender|avast|drweb|phishtank"
        r"|urlscan|virustotal|checkpoint|avanan|cofense|vadesecure|hornetsecurity|spamhaus|netcraft|securi(?:ty)?scan|clamav"
    )),
    ("preview", re.compile(
        r"skypeuripreview|slackbot|slack-img|twitterbot|facebookexternalhit|facebookcatalog|telegrambot|discordbot"
        r"|whatsapp/|linkedinbot|bingpreview|google-pagerenderer|microsoftpreview|teamsbot|mattermost|iframely|embedly"
        r"|redditbot|viber|snap url preview|link ?preview|vkshare|pinterest(?:bot)?/|unfurl|google-read-aloud|outbrain"
    )),
    ("headless", re.compile(r"headless|phantomjs|puppeteer|playwright|selenium|slimerjs|htmlunit")),
    ("textual", re.compile(r"^(?:lynx|w3m|links|elinks)\b|\bedbrowse\b|^emacs-w3m")),
    ("crawler", re.compile(
        # the makers Cubot and Bot Mobile name telephones
        r"(?<!cu)bot\b(?! mobile)|(?<!cu)bot[/;_-]|spider|crawl|slurp|archiv|scrap|validat|pingdom|uptime|scan"
        r"|statuscake|site24x7|monitor|check(?:er|ing)|lighthouse|pagespeed|feedfetch|rss|index(?:er|ing)|https?://|\+http"
        r"|@[a-z0-9-]+\.[a-z]|fetch|probe|survey|research|sitemap|analy[sz]er|inspect|datanyze|nagios|dataprovider|nutch"
        r"|favicon|preview|censys|google(?:other|-)|mediapartners|apis-google|verify|synthetic|audit"
        r"|^mozilla/[\d.]+ \(compatible; (?!msie|konqueror|netscape|opera|yahoo|googletoolbar)[^)]{0,80}\)"
        r"|^mozilla/[\d.]+ \(compatible\)"
    )),
    ("app", re.compile(r"^okhttp|^dalvik|cfnetwork/|^alamofire|darwin/")),
    ("library", re.compile(
        r"^(?:curl|wget|python|python-|aiohttp|httpx|java/|apache-http|go-http|ruby|perl|lwp|libwww|php|guzzle|axios|node"
        r"|got\b|undici|postman|insomnia|httpie|powershell|winhttp|rest-?sharp|dart|rust|reqwest|faraday|mechanize|typhoeus"
        r"|scala|akka|jersey|unirest|urllib|http_|http\.rb|zend|symfony|libcurl|winhttp|microsoft url|nsplayer|test)"
        r"|python-requests|httpclient|http-client|windowspowershell|okhttp|libwww|curl/|wget/"
    )),
    ("office", re.compile(r"ms-?office|microsoft office|microsoft outlook|office-outlook|outlook-ios|outlook-android")),
    ("mailer", re.compile(
        r"thunderbird|apple ?mail|\bmail/\d|mailspring|emclient|em client|airmail|sparkmail|\bspark/|betterbird|k-9"
        r"|k9mail|kmail|evolution|claws|mailbird|postbox|lotus-notes|lotus notes|foxmail|the bat!|edison|bluemail"
        r"|aquamail|fairemail|windowsmail|yahoomobilemail|yahoo.{0,8}mail|gmail|gmx|web\.de"
        r"|samsung ?email|zimbra|superhuman|canary|missive|hey/|protonmail|tutanota|eudora|sylpheed|seamonkey"
    )),
)  # fmt: skip
#: a mail program inside a browser's name (Thunderbird, Outlook's WordMail): looked for before browsers
_SYSTEMS: Final = (
    ("ios", re.compile(r"iphone|ipad|ipod|cpu os \d|\bios\b")),
    ("android", re.compile(r"android")),
    ("chromeos", re.compile(r"\bcros\b")),
    ("windows", re.compile(r"windows")),
    ("mac", re.compile(r"macintosh|mac os x|mac_powerpc|darwin")),
    ("linux", re.compile(r"linux|x11|ubuntu|freebsd|openbsd")),
)
#: family, its pattern with the major version. First match counts
_BROWSERS: Final = (
    ("ie", re.compile(r"(?:msie |trident/.{0,200}?rv:)(\d{1,4})")),
    ("opera", re.compile(r"(?:opr|opera|opt|opios)/(\d{1,4})")),
    ("samsung", re.compile(r"samsungbrowser/(\d{1,4})")),
    ("edge", re.compile(r"(?:edg|edge|edga|edgios)/(\d{1,4})")),
    ("firefox", re.compile(r"(?:firefox|fxios|focus|klar)/(\d{1,4})")),
    ("chrome", re.compile(r"(?:chrome|crios|chromium)/(\d{1,4})")),
    ("safari", re.compile(r"version/(\d{1,4})[\d.]* (?:mobile/\S+ )?safari/")),
)
_WEBVIEW: Final = re.compile(r"; wv\)|\bfban/|\bfbav/|instagram|gsa/|line/|micromessenger|duckduckgo/")
_APPLE: Final = re.compile(r"applewebkit/")
#: a browser's own beginning: what has none of these and nothing else is an `other`
_CHROMIUM: Final = re.compile(r"(?:chrome|chromium)/(\d{1,4})")
#: (version, days since 1970 when it came out): between two, linear; after the last, 28 days a version
_CHROME_DAYS: Final = (
    (1, 14_124), (20, 15_517), (40, 16_456), (60, 17_372), (80, 18_296), (94, 18_891), (109, 19_366), (120, 19_696),
    (140, 20_333), (156, 20_780),
)  # fmt: skip
_FIREFOX_DAYS: Final = (
    (1, 12_731), (4, 15_055), (20, 15_797), (40, 16_658), (52, 17_232), (72, 18_268), (100, 19_115), (115, 19_542),
    (128, 19_913), (140, 20_263), (153, 20_640),
)  # fmt: skip
_SAFARI_DAYS: Final = ((3, 13_800), (5, 14_767), (9, 16_708), (18, 19_982), (26, 20_347), (27, 20_712))
_SAMSUNG_DAYS: Final = ((2, 15_900), (10, 18_150), (20, 19_400), (28, 20_200))
_TABLES: Final = {
    "chrome": (_CHROME_DAYS, 28), "edge": (_CHROME_DAYS, 28), "webview": (_CHROME_DAYS, 28),
    "opera": (_CHROME_DAYS, 28), "firefox": (_FIREFOX_DAYS, 28),
    "safari": (_SAFARI_DAYS, 365), "samsung": (_SAMSUNG_DAYS, 120),
}  # fmt: skip
#: days: a version this far ahead of its time is nobody's
_TOO_EARLY: Final = 300
#: how the names of browsers begin, of old telephones too
_PEOPLES: Final = ("mozilla/", "opera/", "dolphin", "ucweb", "nokia", "blackberry", "samsung", "lg", "sonyericsson")
#: years told apart
_OLDEST: Final = 20


class Client(msgspec.Struct, frozen=True):
    family: str
    platform: str = "none"
    #: years, as in `Seen.age`
    age: int = -1
    impossible: bool = False
    #: of the browser; of Chromium where it is one; 0 not known
    major: int = 0
    chromium: bool = False


def released(family: str, major: int) -> int | None:
    """The day (since 1970) about which a version came out; None for families without a table."""
    if family == "ie":
        return 15_995 if major >= 11 else 14_000
    if family not in _TABLES or major < 1:
        return None
    table, later = _TABLES[family]
    if major >= table[-1][0]:
        return table[-1][1] + (major - table[-1][0]) * later
    for (low, first), (high, last) in itertools.pairwise(table):
        if low <= major < high:
            return first + (last - first) * (major - low) // (high - low)
    return table[0][1]


def _platform(text: str) -> tuple[str, bool]:
    """The system, and whether two are claimed that never go together."""
    names = [name for name, pattern in _SYSTEMS if pattern.search(text)]
    if not names:
        return ("other" if text else "none"), False
    # Android says Linux, iOS says "like Mac OS X", old Windows Phones said everything
    together = {"windows"} & set(names) and {"ios", "mac", "android"} & set(names)
    return names[0], bool(together) and "windows phone" not in text


def _browser(text: str, day: int) -> Client:
    platform, two = _platform(text)
    engine = _CHROMIUM.search(text)
    family, major = "other", 0
    for name, pattern in _BROWSERS:
        found = pattern.search(text)
        if found:
            family, major = name, int(found[1])
            break
    if _WEBVIEW.search(text) or (family == "other" and platform in ("ios", "mac") and _APPLE.search(text)):
        family = "webview" if platform in ("ios", "android") else "mailer"
    if engine and family in ("opera", "webview", "edge"):
        major = int(engine[1])
    out = released(family, major)
    if family == "edge" and major == 42 and "edge/12" in text:
        out = 16_600
    age = -1 if out is None or (platform == "ios" and family != "safari") else max(0, min(_OLDEST, (day - out) // 365))
    impossible = two or (out is not None and platform != "ios" and out > day + _TOO_EARLY)
    return Client(family, platform, age, impossible, major, bool(engine) and platform != "ios")


def read(agent: str, day: int) -> Client:
    """Any text is answered. `day`: days since 1970 of the hit."""
    agent = agent[:MOST].strip()
    if not agent:
        return Client("missing")
    if agent == "Mozilla/5.0":
        return Client("mpp")
    if _PREFETCH.fullmatch(agent):
        return Client("gmail-prefetch", "windows")
    text = agent.lower()
    for family, pattern in _DECLARED:
        if pattern.search(text):
            return Client(family, _platform(text)[0])
    if not text.startswith(
        ("mozilla/", "opera/", "dolphin", "ucweb", "nokia", "blackberry", "samsung", "lg", "sonyericsson")
    ):
        return Client(
            "library" if re.fullmatch(r"[\w.+-]{1,40}(?:/[\w.+-]{1,24})?", text) else "other", _platform(text)[0]
        )
    return _browser(text, day)
