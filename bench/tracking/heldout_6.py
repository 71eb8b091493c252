"""A sixth held-out set: people (h-) and machines (m-), from what is publicly told of mail clients and of scanners.

By one who has read what is known of both and the format (`world.py`, `run.py`, parts of `heldout_5*.py`), not the
rules. A scene first draws its own people and engines (device, network, habit, pace), then plays them over its messages.
A label says who sent the request; families whose machine part cannot be told from a person by requests alone say so in
their docstring. It was one file when it was frozen and first scored (README.md has that file's SHA-256); cut by subject
since, with every figure the same."""

import heldout_6_people  # isort: skip  # people first: the order of the families is that of the one file
import heldout_6_machines
from heldout_6_base import FAMILIES

__all__ = ["FAMILIES", "heldout_6_machines", "heldout_6_people"]
