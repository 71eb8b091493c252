"""What others do, asked the same: rows to stand beside ours. They see the raw request, as their makers do."""

from collections.abc import Callable, Sequence

from score import Judge
from world import PREFETCH, Copy, Event, Scene, agent_of

from carepost.tracking.types import Seen

#: public list (warmbly) with tracking.md 5.2's additions
MARKERS = [
    "bot",
    "spider",
    "crawl",
    "curl/",
    "wget/",
    "python-requests",
    "python/",
    "go-http-client",
    "okhttp",
    "java/",
    "headless",
    "phantomjs",
    "validator",
    "pingdom",
    "uptime",
    "statuscake",
    "site24x7",
    "bingpreview",
    "skypeuripreview",
    "whatsapp",
    "telegram",
    "urldefense",
    "safelinks",
    "barracuda",
    "mimecast",
    "proofpoint",
    "forcepoint",
    "symantec",
    "trendmicro",
    "sophos",
    "zscaler",
]
CLOUDS = frozenset({"microsoft", "google", "amazon", "hosting"})


def declared(event: Event) -> bool:
    agent = agent_of(event.headers).lower()
    if "googleimageproxy" in agent or "yahoomailproxy" in agent:
        return False
    return not agent or any(word in agent for word in MARKERS)


def each(rule: Callable[[Copy, Event, Seen], bool]) -> Judge:
    """A judge that looks at one hit at a time."""

    def asked(scene: Scene, seen: Sequence[Sequence[Seen]]) -> list[list[str]]:
        return [
            ["automated" if rule(copy, event, one) else "human" for event, one in zip(copy.events, some, strict=True)]
            for copy, some in zip(scene, seen, strict=True)
        ]

    return asked


def names_only(copy: Copy, event: Event, seen: Seen) -> bool:
    return declared(event)


def first_seconds(seconds: float) -> Callable[[Copy, Event, Seen], bool]:
    return lambda copy, event, seen: event.at < seconds


def mautic(copy: Copy, event: Event, seen: Seen) -> bool:
    """Two of three: within 2 s, a listed address, a listed name."""
    return (event.at < 2) + (seen.network == "gateway") + declared(event) >= 2


def same_second(scene: Scene, seen: Sequence[Sequence[Seen]]) -> list[list[str]]:
    """Marketo: two different activities of one copy within a second, or a listed name."""
    found = []
    for copy in scene:
        said = []
        for event in copy.events:
            near = any(
                abs(other.at - event.at) < 1
                and (other.kind, other.role, other.link) != (event.kind, event.role, event.link)
                for other in copy.events
            )
            said.append("automated" if near or declared(event) else "human")
        found.append(said)
    return found


def _alone(copy: Copy, event: Event, seen: Seen) -> str | None:
    """T1, T3 and T6 to T13 of tracking.md, each by its words; None where none matches."""
    agent, click = agent_of(event.headers), event.kind == "click"
    if (
        event.method in ("HEAD", "OPTIONS")
        or seen.ahead
        or event.altered
        or declared(event)
        or seen.network == "gateway"
    ):
        return "automated"
    bare = not seen.language or (seen.client in ("chrome", "edge") and seen.age <= 6 and seen.fetch == "none")
    stale = seen.client in ("chrome", "edge", "firefox") and seen.age >= 2
    if click and seen.network in CLOUDS:
        return "automated" if bare or stale or event.at < 2 else "undetermined"
    if event.at < 2:
        return "automated"
    if event.at < 10 and seen.network in CLOUDS:
        return "automated"
    if click and stale:
        return "automated"
    if not click and agent == "Mozilla/5.0":
        return "undetermined"
    if not click and agent == PREFETCH:
        return "automated"
    return None


def literal(scene: Scene, seen: Sequence[Sequence[Seen]]) -> list[list[str]]:
    """The rules of tracking.md 5.2 read literally, with their folding back."""
    found = []
    for copy, some in zip(scene, seen, strict=True):
        clicks = [e for e in copy.events if e.kind == "click"]
        decoys = [e for e in clicks if e.role == "decoy"]
        links = {(e.role, e.link) for e in clicks if e.role == "link"}
        early = {(e.role, e.link) for e in clicks if e.role == "link" and e.at < 600}
        said = []
        for event, one in zip(copy.events, some, strict=True):
            verdict = _alone(copy, event, one)
            if event.kind == "click":
                near = {(e.role, e.link) for e in clicks if abs(e.at - event.at) <= 2}
                close = {(e.role, e.link) for e in clicks if abs(e.at - event.at) <= 1}
                if (
                    event.role == "decoy"
                    or any(
                        abs(d.at - event.at) < 900
                        and (d.address == event.address or agent_of(d.headers) == agent_of(event.headers))
                        for d in decoys
                    )
                    or len(near) >= 3
                    or (copy.links == 2 and len(near) >= 2)
                    or len(close) >= 2
                    or (copy.links >= 4 and len(early) >= copy.links and len(links) >= copy.links and event.at < 600)
                ):
                    verdict = "automated"
            said.append(verdict or "human")
        found.append(said)
    return found


ROWS: dict[str, Judge] = {
    "tracking.md, literally": literal,
    "2 of 3: 2 s, network, name (Mautic)": each(mautic),
    "same second, name (Marketo)": same_second,
    "name only": each(names_only),
    "first 10 s": each(first_seconds(10)),
    "first 60 s": each(first_seconds(60)),
}
