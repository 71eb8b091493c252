"""The families the rules were made with: each draws its hits from distributions (tracking.md 2 and our own).

A family is a function of a generator of random numbers that makes one scene: copies of messages and
what happens to them."""

import families_guards
import families_machines
import families_people
import families_readers
from families_scenes import FAMILIES

__all__ = ["FAMILIES", "families_guards", "families_machines", "families_people", "families_readers"]
