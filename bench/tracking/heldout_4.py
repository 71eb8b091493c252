"""Plays the scripts of `heldout_4.md`: other situations, in the language of `heldout_2.py`."""

from heldout_2 import read

FAMILIES = read("heldout_4.md")
