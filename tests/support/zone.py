"""DNS as a dictionary: name -> records, for the courses of questions of SPF, DKIM and DMARC."""

from collections.abc import Callable, Mapping, Sequence

from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record

#: name -> [(type, value)]; the value "!" is a failure
Zone = Mapping[str, Sequence[tuple[str, str]]]


class Dns:
    """Answers from a zone and notes what was asked."""

    def __init__(self, zone: Zone) -> None:
        self._zone = {name.lower(): list(records) for name, records in zone.items()}
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Found:
        self.asked.append(question)
        records = self._zone.get(question.name.lower().rstrip("."))
        if records is None:
            return ABSENT
        values = [value for kind, value in records if kind == question.record]
        if "!" in values:
            return FAILED
        if question.record is Record.TXT:
            return Found(texts=tuple(value.encode("latin-1") for value in values))
        return Found(names=tuple(values))


def txt(**names: str) -> dict[str, list[tuple[str, str]]]:
    return {name: [("TXT", value)] for name, value in names.items()}


def answering(zone: Zone) -> Callable[[Question], Found]:
    return Dns(zone)
