"""Why a portal action did not go through. Each is an ordinary outcome with a page of its own."""

from carepost.ground.errors import Refused


class Ended(Refused):
    """The message can no longer be read. `state`: expired | retracted | deleted."""

    def __init__(self, state: str) -> None:
        super().__init__(f"portal-{state}", "The message can no longer be read here.", status=410)
        self.state = state


class Locked(Refused):
    """Too many tries or codes. `until`: UTC microseconds."""

    def __init__(self, until: int) -> None:
        super().__init__("portal-locked", "There were too many tries; the page opens again later.", status=429)
        self.until = until


class WrongProof(Refused):
    """Not the code or answer. `left`: tries left; 0 closes this code."""

    def __init__(self, left: int) -> None:
        super().__init__("portal-wrong-proof", "That is not it.", status=422)
        self.left = left


class NoCode(Refused):
    """No code is open: it ran out, was used, or a newer one was sent."""

    def __init__(self) -> None:
        super().__init__("portal-no-code", "That code does not work any more; ask for a new one.", status=422)


class TooSoon(Refused):
    """A code was sent a moment ago. `wait`: seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__("portal-too-soon", "A code was sent a moment ago.", status=429)
        self.wait = wait


class WrongWay(Refused):
    """The message asks for another proof than the one offered (a second factor stands; BI-094)."""

    def __init__(self) -> None:
        super().__init__("portal-wrong-way", "This message asks for another proof.", status=403)
