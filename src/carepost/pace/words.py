"""What holds mail back, in words: what follows "Held back by …". Pure."""

from carepost.pace import providers, reactions


def held_by(what: str, provider: str, by: str = "", source: str = "") -> str:
    """`what`: suspension | rate | warm-up | connections | destination; `by`: id of a reaction, or ""."""
    name = providers.find(provider).name if provider else "the provider"
    why = reactions.words(by)
    if what == "suspension":
        return f"a pause at {name}: {why}" if why else f"a pause at {name}"
    if what == "rate":
        return f"a lower rate for {name}: {why}" if why else f"the limit of messages to {name}"
    if what == "warm-up":
        return f"the warm-up of {source} at {name}" if source else f"the warm-up at {name}"
    if what == "connections":
        return f"the limit of connections to {name}"
    return "the limit of deliveries to one domain at once"


def measure(by: str) -> str:
    """What a reaction does, in a few words."""
    known = reactions.BY_ID.get(by)
    if known is None:
        return ""
    minutes = known.lasts // 60_000_000
    if known.ladder:
        return f"nothing for {minutes} minutes, then one connection and one more each minute"
    if known.suspend:
        return f"nothing for {minutes} minutes"
    said = []
    for number, one, many in (
        (known.limits.per_minute, "message a minute", "messages a minute"),
        (known.limits.connections, "connection", "connections"),
        (known.limits.messages, "message a connection", "messages a connection"),
        (known.limits.dials, "new connection a minute", "new connections a minute"),
    ):
        if number:
            said.append(f"{number} {one if number == 1 else many}")
    return f"{', '.join(said)} for {minutes} minutes"
