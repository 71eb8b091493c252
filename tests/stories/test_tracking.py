"""Opens and clicks over a real home: turned on by an administrator, put into a real mail, followed by curl; counted,
judged and told, and nothing of whoever followed them lies anywhere afterwards (HS-34, PR-21)."""

import email
import email.policy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.support.house import ENGINE_ONLY, House
from tests.support.waiting import until

HTML = (
    '<html><body><p>Our news</p><a href="https://shop.test/a?x=1&amp;y=2">One</a> '
    '<a href="https://shop.test/b">Two</a> <a href="mailto:nora@clinic.test">Write</a> '
    '<a href="https://kept.test/" data-carepost-notrack>Kept</a></body></html>'
)
#: of nobody else: found in any file of the home they would be a leak
AGENT = "Quillfeather-Browser/77.31 (OspreyOS 4)"
CAME_BY = "198.51.100.231"
VOUCHED = "M. Sample, administrator: the monthly newsletter to everybody, nothing about anyone's care."


def curl(url: str, *more: str) -> str:
    """Status line and header fields."""
    asked = ["curl", "-sS", "-o", "/dev/null", "-D", "-", "--max-time", "20", *more, url]
    return subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout


def page_of(raw: bytes) -> str:
    part = email.message_from_bytes(raw, policy=email.policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def told(house: House) -> list[dict[str, Any]]:
    said = house.carepost("tracking", "report", "--days", "2", "--org", "demo", "--json")
    return list(json.loads(said))


def test_links_are_counted_judged_and_leave_nothing_of_who_followed_them(tmp_path: Path) -> None:
    house = House(tmp_path, *ENGINE_ONLY, "journal", "staff", "outside")
    with house:
        first = house.send("quiet@verified.test", html=HTML, category="marketing")
        untouched = house.raw(house.arrived("quiet@verified.test")[0]["id"])
        assert page_of(untouched).strip() == HTML
        status, refused = house.request(
            "POST", "/api/v1/messages",
            {"from": "nora.sample@clinic.test", "to": ["quiet@verified.test"], "subject": "s", "html": HTML,
             "category": "marketing", "tracking": {"opens": True}},
        )  # fmt: skip
        assert (status, "watch opens" in refused["detail"]) == (422, True)

        house.carepost(
            "tracking", "set", "marketing", "--opens", "on", "--clicks", "on", "--attestation", VOUCHED,
            "--reason", "newsletter", "--org", "demo",
        )  # fmt: skip
        marked = None

        def is_marked() -> bool:
            nonlocal marked
            house.send("ann@verified.test", html=HTML, category="marketing")
            marked = page_of(house.raw(house.arrived("ann@verified.test")[-1]["id"]))
            return "/c/" in marked

        until(is_marked, within=60, what="a copy is marked")
        assert marked is not None
        base = f"http://localhost:{house.ports['portal']}"
        links = re.findall(rf'href="({base}/c/[A-Za-z0-9_-]+)"', marked)
        (picture,) = re.findall(rf'src="({base}/o/[A-Za-z0-9_-]+)"', marked)
        # two links of the sender's, and the one nobody sees
        assert len(links) == 3
        assert 'href="mailto:nora@clinic.test"' in marked
        assert 'href="https://kept.test/"' in marked
        assert "shop.test" not in marked

        disguise = ("-A", AGENT, "-H", f"X-Forwarded-For: {CAME_BY}")
        answer = curl(links[0], *disguise)
        assert answer.startswith("HTTP/1.1 302")
        assert "location: https://shop.test/a?x=1&y=2" in answer.lower()
        assert "no-store" in answer and "no-referrer" in answer
        assert curl(picture, *disguise).startswith("HTTP/1.1 200")
        assert curl(links[1], "-I").startswith("HTTP/1.1 302")
        for path in ("/c/", "/c/none", f"/c/{links[0][-40:]}", "/c/https://evil.test/"):
            answer = curl(f"{base}{path}")
            assert "404" in answer.splitlines()[0], path
            assert "location:" not in answer.lower()
        # a bent link is a plain page, whatever is asked beside it
        bent = links[0][:-1] + ("A" if links[0][-1] != "A" else "B")
        assert "location:" not in curl(f"{bent}?next=https://evil.test/").lower()

        def judged() -> bool:
            rows = told(house)
            return (
                bool(rows) and rows[0]["clicked_machines"] + rows[0]["clicked_people"] + rows[0]["clicked_unclear"] == 1
            )

        until(judged, within=90, what="the copy is judged")
        (row,) = told(house)
        assert int(row["opened"].split(" of ")[1]) >= 1
        made = json.loads(house.carepost("key", "add", "watcher", "--scope", "events", "--org", "demo", "--json"))
        status, log = house.request("GET", "/api/v1/events?limit=200", key=made["secret"])
        assert status == 200
        kinds = {one["event"]["kind"] for one in log["events"]}
        assert {"tracking.watched", "tracking.opened", "tracking.clicked"} <= kinds
        assert house.stop() < 12
    assert first["id"]
    kept = (b"Quillfeather-Browser", b"OspreyOS", CAME_BY.encode(), b"shop.test/a")
    for path in (*house.path.rglob("*"), house.output):
        if path.is_file():
            raw = path.read_bytes()
            for secret in kept:
                assert secret not in raw, path
