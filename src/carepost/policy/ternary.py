"""An answer that may be missing."""

import enum


class Ternary(enum.StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
