"""How well names of clients are read, on names others collected (tracking.md 6, part A): who says that it is a machine.

    python bench/tracking/agents.py DEVICE_DETECTOR CRAWLER_USER_AGENTS

Both are unpacked PyPI packages: `device-detector` (its fixtures come from Matomo, LGPL: read here, never shipped) and
`crawler-user-agents` (MIT). Needs PyYAML. A click is made for every browser's name, with the headers it would send."""

import json
import pathlib
import sys
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from score import wilson
from world import DAY

from carepost.tracking import clients
from carepost.tracking.derive import derive
from carepost.tracking.evidence import BROWSERS
from carepost.tracking.judge import judge
from carepost.tracking.networks import parse
from carepost.tracking.types import Hit, Request, Trail

MACHINES = frozenset({"crawler", "library", "headless", "preview", "scanner", "missing"})


def fixtures(folder: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    """(file, name, type of client)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(folder.rglob("fixtures/upstream/*.yml")):
        for row in yaml.load(path.read_text("utf-8"), Loader=loader) or []:
            if isinstance(row, dict) and "user_agent" in row:
                client = row.get("client")
                yield path.stem, str(row["user_agent"]), str(client.get("type", "")) if isinstance(client, dict) else ""


def click(agent: str) -> str:
    """The verdict on one click an hour after delivery, from home, with what a browser of that name would send."""
    read = clients.read(agent, DAY)
    headers = [
        ("User-Agent", agent),
        ("Accept", "text/html,*/*;q=0.8"),
        ("Accept-Language", "en"),
        ("Accept-Encoding", "gzip"),
    ]
    if read.family in BROWSERS and read.age <= 6 and read.major >= 90:
        headers += [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Site", "none")]
        if read.chromium:
            headers.append(("Sec-CH-UA", f'"Chromium";v="{read.major}"'))
    raw = tuple((n.encode(), v.encode("latin-1", "replace")) for n, v in headers)
    request = Request("click", "link", "GET", "73.1.2.3", raw, 3_600_000_000, DAY, link=1)
    hit = Hit("0", derive(request, salt=b"bench: sixteen b", networks=parse([])))
    return judge(Trail(hits=(hit,), links=1))[0].verdict.value


def share(name: str, hits: int, of: int) -> None:
    low, high = wilson(hits, of)
    print(f"{name:64s} {100 * hits / max(of, 1):6.2f} % [{100 * low:.2f}, {100 * high:.2f}] of {of}")


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    detector, crawlers = map(pathlib.Path, sys.argv[1:])
    rows = list(fixtures(detector))
    bots = {agent for stem, agent, _ in rows if stem == "bots"}
    browsers = {agent for stem, agent, kind in rows if stem != "bots" and kind == "browser" and "hints" not in stem}
    listed = json.loads(next(crawlers.rglob("crawler-user-agents.json")).read_text("utf-8"))
    samples = {agent for row in listed for agent in row.get("instances", [])}
    for name, agents in (("device-detector's bots", bots), ("crawler-user-agents' samples", samples)):
        share(f"{name} read as machines", sum(clients.read(a, DAY).family in MACHINES for a in agents), len(agents))
    share("browsers read as machines", sum(clients.read(a, DAY).family in MACHINES for a in browsers), len(browsers))
    verdicts = [click(agent) for agent in sorted(browsers)]
    share("a browser's click called automated", verdicts.count("automated"), len(verdicts))
    share("a browser's click called undetermined", verdicts.count("undetermined"), len(verdicts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
