"""What msgspec says of a document of the wrong shape, as a Fault: where, what, and what may stand there. What did stand
there is the caller's and is never repeated (law 10)."""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from carepost.wire.rest import Fault

#: msgspec names what it found in backquotes or single quotes: types, our field names, but also the caller's values
_QUOTED: Final = re.compile(r"'[^']*'")
_PLACE: Final = re.compile(r"^(.*?) - at (`key` in )?`(\$[^`]*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+|\.\.\.)\]")
_REGEX: Final = "Expected `str` matching regex"

#: said by engine and office alike
NOWHERE: Final = "There is nothing at this address; /api/v1/openapi.json lists what there is."
NO_KEY: Final = "Give an API key: Authorization: Bearer …"
WRONG_KEY: Final = (
    "This API key counts for nothing here: it was cut off or mistyped, was withdrawn, or is of another installation. "
    "Give a whole one; carepost key add makes one."
)


def fault(error: msgspec.ValidationError, kind: Any) -> Fault:
    """`kind`: the type that was read. Of maps the keys are the caller's: their place is `*`."""
    text = str(error)
    found = _PLACE.match(text)
    said, key, place = (found[1], bool(found[2]), found[3]) if found else (text, False, "$")
    steps = [name or ("*" if number == "..." else number) for name, number in _STEP.findall(place)]
    pointer = "".join(f"/{step}" for step in steps)
    return Fault(pointer, ("A name in it: " if key else "") + _worded(said, kind, steps))


def _worded(said: str, kind: Any, steps: list[str]) -> str:
    if said.startswith("Object contains unknown field"):
        known = [name for one in _there(kind, steps) for name in _names(one)]
        return f"Object contains an unknown field; it may have {', '.join(known)}" if known else said.split(" `")[0]
    if said.startswith("Invalid enum value"):
        known = [
            str(value.value) for one in _there(kind, steps) if isinstance(one, inspect.EnumType) for value in one.cls
        ]
        return f"Not one of those there are: {', '.join(known)}" if known else "Invalid value"
    if said.startswith(_REGEX):
        # the expression is ours
        return said
    return _QUOTED.sub("value", said)


def _names(one: inspect.Type) -> list[str]:
    return [field.encode_name for field in one.fields] if isinstance(one, inspect.StructType) else []


def _there(kind: Any, steps: list[str]) -> list[inspect.Type]:
    """The types that may stand at the place, as far as they can be told."""
    here = _alternatives(_info(kind))
    for step in steps:
        here = [one for outer in here for one in _inside(outer, step)]
    return here


def _inside(outer: inspect.Type, step: str) -> list[inspect.Type]:
    if isinstance(outer, inspect.StructType):
        return [one for field in outer.fields if field.encode_name == step for one in _alternatives(field.type)]
    if isinstance(outer, inspect.DictType):
        return _alternatives(outer.value_type)
    if isinstance(outer, inspect.CollectionType):
        return _alternatives(outer.item_type)
    return []


def _alternatives(one: inspect.Type) -> list[inspect.Type]:
    if isinstance(one, inspect.Metadata):
        return _alternatives(one.type)
    if isinstance(one, inspect.UnionType):
        return [each for part in one.types for each in _alternatives(part)]
    return [one]


@lru_cache(maxsize=256)
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)
