"""A rule as it stands in the office's table: columns, `more` (JSON, nothing personal) and a sealed part (JSON).

The office writes it (`tenancy.actions.policy`), the engine reads it (`directory.sql`): both through this page.
"""

import json
from typing import Any, Final

import msgspec

from carepost.ground.errors import Unavailable
from carepost.policy.types import Rule

#: under the organisation's evidence key: persons, and what is said in words
SEALED: Final = ("sender", "recipient", "attestation", "contains", "redirect", "copies", "words")
#: columns of their own
COLUMNS: Final = (
    "id", "position", "sender_domain", "recipient_domain", "category", "data_class", "floor", "tls_policy", "methods",
    "portal_by_mail", "action",
)  # fmt: skip
#: in `more`; `unit` comes from the row's unit
MORE: Final = tuple(
    f for f in Rule.__struct_fields__ if f not in SEALED and f not in COLUMNS and f != "unit"
)  # fmt: skip
_DEFAULTS: Final = dict(zip(Rule.__struct_fields__[1:], Rule.__struct_defaults__, strict=True))


def more(rule: Rule) -> str:
    """ "" for a rule that says nothing beyond the columns."""
    found = _said(rule, MORE)
    return json.dumps(found, sort_keys=True) if found else ""


def personal(rule: Rule) -> str:
    """What must be sealed, as JSON; "" for none."""
    found = _said(rule, SEALED)
    return json.dumps(found, sort_keys=True) if found else ""


def read(columns: dict[str, Any], more_: str, personal_: str) -> Rule:
    """`columns`: as `COLUMNS` and `unit`; enumerations as their values. Raises Unavailable for a rule of a later
    version: half a rule must not be carried out."""
    given = dict(columns)
    for text, allowed in ((more_, MORE), (personal_, SEALED)):
        fields = json.loads(text) if text else {}
        if not set(fields) <= set(allowed):
            raise Unavailable("directory-rule", "A protection rule was written by a later version of Carepost.")
        given |= fields
    try:
        return msgspec.convert(given, Rule)
    except msgspec.ValidationError:
        raise Unavailable("directory-rule", "A protection rule was written by a later version of Carepost.") from None


def _said(rule: Rule, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: getattr(rule, name) for name in names if getattr(rule, name) != _DEFAULTS[name]}
    made: dict[str, Any] = msgspec.to_builtins(found)
    return made
