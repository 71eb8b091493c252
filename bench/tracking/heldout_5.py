"""A fifth held-out set: 18 families with machines (m-), 19 of people (h-), by one who saw neither rules nor other sets.

Every scene draws its own products, medians and habits first and its hits from those, so that no family is a constant.
Labels are by construction: who made the request. Mixed families hold both kinds, as real mailboxes do. All of it is in
`heldout_5_machines.py` and `heldout_5_people.py`, made with `heldout_5_base.py`."""

import heldout_5_machines
import heldout_5_people
from heldout_5_base import FAMILIES

__all__ = ["FAMILIES", "heldout_5_machines", "heldout_5_people"]
