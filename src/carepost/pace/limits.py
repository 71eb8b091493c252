"""Limits of one way out: how many connections, messages on each, messages and connections a minute."""

from typing import Final

import msgspec

#: no limit of ours
NONE: Final = 0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """0: no limit."""

    #: connections at once
    connections: int = NONE
    #: messages one connection carries
    messages: int = NONE
    #: messages a minute, and an hour
    per_minute: int = NONE
    per_hour: int = NONE
    #: connections opened a minute
    dials: int = NONE

    @property
    def unlimited(self) -> bool:
        return self == UNLIMITED

    def stricter(self, other: "Limits") -> "Limits":
        """The smaller of each."""
        return Limits(**{name: least(getattr(self, name), getattr(other, name)) for name in Limits.__struct_fields__})

    def over(self, base: "Limits") -> "Limits":
        """These where they say something, else the base's: a person's own limits before the table's."""
        return Limits(**{name: getattr(self, name) or getattr(base, name) for name in Limits.__struct_fields__})


UNLIMITED: Final = Limits()


def least(one: int, other: int) -> int:
    """The smaller of two limits of which 0 is none."""
    return min(one, other) if one and other else one or other
