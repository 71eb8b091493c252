"""Why weak evidence is enough, in words of our own: never a word of the text."""

from carepost.phi import lists
from carepost.phi.evidence import SINGLE, TELLING, Block

#: classes of words as reasons
_REASONS = {
    "illness": "words of illness", "care": "words of treatment", "carer": "words for carers",
    "body": "parts of the body", "directions": "directions to follow", "visit": "words of a visit",
    "payer": "words of insurance", "shorthand": "clinical shorthand",
}  # fmt: skip
_TOLD = 3
_CLINICAL, _NAMED, _TO_ONE, _OF_ONE = (
    "clinical terms",
    "a name or an age",
    "speaks to one reader",
    "speaks of one person",
)
_PHRASED = "phrases that notes of care use"
#: all that `reasons` can say
REASONS = frozenset((*_REASONS.values(), _CLINICAL, _NAMED, _TO_ONE, _OF_ONE, _PHRASED))


def reasons(block: Block) -> tuple[str, ...]:
    """What a stretch has of one person's care, in words of our own: never a word of the text."""
    classes = lists.classes()
    spoken: dict[str, int] = {}
    for word in block.words:
        for name in classes[word]:
            spoken[name] = spoken.get(name, 0) + 1
    said = sorted((name for name in _REASONS if name in spoken), key=lambda name: -spoken[name])[:_TOLD]
    kinds = {mark.kind for mark in block.marks}
    told = [_REASONS[name] for name in said]
    if not kinds.isdisjoint(("drug", "drug-dose", "condition", "procedure", "test", "lab-result", "medicine")):
        told.append(_CLINICAL)
    if not kinds.isdisjoint(TELLING) or block.pair:
        told.append(_NAMED)
    elif "directly" in spoken:
        told.append(_TO_ONE)
    elif not spoken.keys().isdisjoint(SINGLE):
        told.append(_OF_ONE)
    return tuple(told) or (_PHRASED,)
