"""Phrases, and what words mean: what words and pairs of words of a text add to "this is about a person's care".

`words/phrases.txt` holds them with the weight that `bench/phi/train.py` measured; `words/meaning.txt` holds, for the
common words of English, one number each: how near the word's sense is to those that the development messages use of
care. So a word counts that no development message holds. Nothing of a text is kept or shown.
"""

import itertools
import math
from collections.abc import Iterable, Sequence, Set

from carepost.phi import lists

#: the length of a text's vector of phrases, and phrases that are taken to stand in every text
LENGTH, MORE = 4.0, 5
#: what stands for every number
NUMBER = "0"
#: what stands for every given name
NAME = "@"


def tokens(flat: str) -> list[str]:
    """The words of a flattened text in order; every number is one word, and so is every given name."""
    given = lists.given_names()
    return [NUMBER if word[0] <= "9" else NAME if word in given else word for word in flat.split()]


def phrases(words: Sequence[str]) -> Iterable[str]:
    """The words themselves, and each two that stand together."""
    yield from words
    yield from map(" ".join, itertools.pairwise(words))


def score(said: Set[str]) -> float:
    """What the phrases of a text add to the logarithm of the odds."""
    known, senses = lists.valued("phrases"), lists.valued("meaning")
    mine = known.keys() & said
    meant = senses.keys() & said
    # exactly, whatever order a set has in this process: a preview and the attempt are two
    total = math.fsum(map(known.__getitem__, mine)) * scale(len(mine))
    return total + (math.fsum(map(senses.__getitem__, meant)) / len(meant) if meant else 0.0)


def strange(said: Set[str]) -> set[str]:
    """The single words of a text that are no common words."""
    # A set less the keys of a dictionary would walk the whole dictionary
    common = lists.valued("meaning")
    return {word for word in said if word not in common and " " not in word}


def scale(count: int) -> float:
    """How much each phrase of a text weighs that holds `count` known ones."""
    return LENGTH / math.sqrt(count + MORE)
