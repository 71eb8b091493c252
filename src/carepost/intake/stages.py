"""Many submissions through the door stage by stage: all are read, then all decided, all drafted, all sealed.

What comes in one turn of the loop comes together anyway; the code of a stage is warm when the next message follows in
it, and cold when a whole message goes through first (docs/decisions/0038). Nothing waits here, so what a stage reads of
the directory and of posture is the same for all."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from carepost.intake.passing import Passing
from carepost.wire.types import Accepted

#: messages and bytes that go together: what they come to stays in the processor's caches
MOST: Final = 32
MOST_BYTES: Final = 1024 * 1024

#: what a message came to: it waits for its commit; `accept` has to be asked; or it was refused, or failed
Begun = asyncio.Future[Accepted] | Exception | None


def through(ones: Sequence[Passing], stages: Sequence[Callable[[Passing], bool]]) -> list[Begun]:
    """Carries each through all stages; one that answers False has `accept` asked. Each fails alone; raises nothing."""
    stopped: dict[int, Exception | None] = {}
    for stage in stages:
        for number, one in enumerate(ones):
            if number in stopped:
                continue
            try:
                if not stage(one):
                    stopped[number] = None
            except Exception as error:
                stopped[number] = error
    return [stopped[number] if number in stopped else one.begun for number, one in enumerate(ones)]  # noqa: SIM401
