"""Plays families, asks a judge for verdicts on what came in, and compares with who really did it."""

import collections
import dataclasses
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence

from world import DAY, Copy, Event, Scene, agent_of

from carepost.tracking.derive import derive
from carepost.tracking.judge import judge
from carepost.tracking.networks import shipped
from carepost.tracking.types import Around, Hit, Later, Request, Seen, Trail

SALT = b"bench: sixteen bytes and more"
#: verdicts of all hits of a copy, in the order of its events: human, automated, undetermined
Judge = Callable[[Scene, Sequence[Sequence[Seen]]], list[list[str]]]


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    if of == 0:
        return 0.0, 1.0
    p = hits / of
    centre, spread = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (centre - spread) / (1 + z * z / of)), min(1.0, (centre + spread) / (1 + z * z / of))


def features(event: Event) -> Seen:
    """What the product would keep of it."""
    return derive(
        Request(
            kind=event.kind,  # type: ignore[arg-type]
            role=event.role,  # type: ignore[arg-type]
            method=event.method,
            address=event.address,
            headers=tuple((n.encode(), v.encode()) for n, v in event.headers),
            since=round(event.at * 1e6),
            day=DAY,
            link=event.link,
            altered=event.altered,
        ),
        salt=SALT,
        networks=shipped(),
    )


def prepare(scene: Scene, decoys: bool) -> tuple[Scene, list[list[Seen]]]:
    """In the order of time; without the hidden link where it is switched off."""
    found = []
    for copy in scene:
        copy.decoy = copy.decoy and decoys
        copy.events = sorted((e for e in copy.events if copy.decoy or e.role != "decoy"), key=lambda e: e.at)
        found.append([features(event) for event in copy.events])
    return scene, found


def trail(copy: Copy, seen: Sequence[Seen], around: tuple[Around, ...] = ()) -> Trail:
    later = tuple(
        Later(what, round(at * 1e6))  # type: ignore[arg-type]
        for what, at, _, _ in copy.later
    )
    hits = tuple(Hit(str(n), one) for n, one in enumerate(seen))
    return Trail(hits=hits, links=copy.links, decoy=copy.decoy, later=later, around=around)


def neighbours(
    scene: Scene, seen: Sequence[Sequence[Seen]], judged: Mapping[int, Sequence[tuple[str, str]]], one: int
) -> tuple[Around, ...]:
    """What the product would hand over of the other copies: those to the same domain."""
    mine = scene[one]
    if not mine.domain:
        return ()
    return tuple(
        Around(
            copy=str(n),
            at=features.since + round((other.delivered - mine.delivered) * 1e6),
            seen=features,
            verdict=judged[n][k][0],
            reason=judged[n][k][1],
            same_message=other.message == mine.message,
            same_domain=True,
        )
        for n, other in enumerate(scene)
        if n != one and other.domain == mine.domain
        for k, features in enumerate(seen[n])
    )[-500:]


def ours(scene: Scene, seen: Sequence[Sequence[Seen]]) -> list[list[str]]:
    """First each copy alone, then again with what is known of the others: as stored hits are judged anew."""
    judged = {n: [(v.verdict.value, v.reason) for v in judge(trail(copy, seen[n]))] for n, copy in enumerate(scene)}
    if len(scene) > 1:
        for _ in range(2):
            judged = {
                n: [
                    (v.verdict.value, v.reason) for v in judge(trail(copy, seen[n], neighbours(scene, seen, judged, n)))
                ]
                for n, copy in enumerate(scene)
            }
    return [[verdict for verdict, _ in judged[n]] for n in range(len(scene))]


@dataclasses.dataclass
class Row:
    """One family's tally."""

    verdicts: collections.Counter[tuple[str, str, str]] = dataclasses.field(default_factory=collections.Counter)

    def rate(self, truths: Iterable[str], verdicts: Iterable[str]) -> tuple[int, int]:
        of = sum(n for (what, _, _), n in self.verdicts.items() if what in truths)
        return sum(n for (what, said, _), n in self.verdicts.items() if what in truths and said in verdicts), of


def what(copy: Copy, event: Event) -> str:
    """Which of the measured things a hit is."""
    if event.role == "decoy":
        return "decoy"
    if event.note:
        return event.note
    if event.kind == "open":
        return f"{event.truth}-open"
    if event.truth == "human":
        return "human-click"
    return "machine-one" if copy.links == 1 else "machine-many"


def play(
    families: Mapping[str, Callable[[random.Random], Scene]],
    judges: Mapping[str, Judge],
    *,
    scenes: int,
    seed: int,
    decoys: bool = True,
    misses: list[tuple[str, Copy, Event, Seen, str]] | None = None,
) -> dict[str, dict[str, Row]]:
    """Rows by judge and family. Each family has its own random numbers: adding one changes no other."""
    rows: dict[str, dict[str, Row]] = {name: {} for name in judges}
    for family, make in families.items():
        r = random.Random(f"{seed}:{family}")
        for _ in range(scenes):
            scene, seen = prepare(make(r), decoys)
            for name, asked in judges.items():
                row = rows[name].setdefault(family, Row())
                for copy, features_, verdicts in zip(scene, seen, asked(scene, seen), strict=True):
                    for event, one, verdict in zip(copy.events, features_, verdicts, strict=True):
                        row.verdicts[what(copy, event), verdict, event.role] += 1
                        if misses is not None and name == "ours" and wrong(event, verdict):
                            misses.append((family, copy, event, one, verdict))
    return rows


def wrong(event: Event, verdict: str) -> bool:
    return (event.truth == "human" and verdict == "automated") or (event.truth == "machine" and verdict != "automated")


__all__ = ["Judge", "Row", "agent_of", "features", "ours", "play", "prepare", "trail", "what", "wilson", "wrong"]
