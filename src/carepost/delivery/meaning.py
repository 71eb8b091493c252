"""What a refusal at the wire means for the address (`rfc.bounces`), beside what it leads to (`outcome`): facts of the
event. It changes nothing of when or how a delivery is tried again."""

from typing import Final

from carepost.delivery.courier import Carried
from carepost.delivery.outcome import Outcome
from carepost.queue.types import Stage
from carepost.rfc.bounces import MEANINGS, Class, classify

#: without an answer of a server: reason of an outcome -> what it means
_UNANSWERED: Final = {
    "null-mx": "domain-unknown", "no-such-domain": "domain-unknown", "no-mail-host": "domain-unknown",
    "no-mail-here": "domain-unknown", "no-usable-host": "network", "mail-loop": "loop", "dns-failure": "dns-failure",
    "dns-timeout": "dns-failure", "refused": "network", "timeout": "network", "lost": "network",
    "expired-in-queue": "expired",
}  # fmt: skip
#: where a server speaks of the mailbox at all
_ABOUT_IT: Final = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})


def facts(found: Outcome, carried: Carried | None) -> dict[str, str]:
    """`bounce` and `bounce-class`; empty where nothing can be said."""
    reply = carried.ended.reply if carried is not None else None
    if carried is None or reply is None or reply.malformed or reply.code < 400:
        reason = _UNANSWERED.get(found.reason, "")
        return {"bounce": reason, "bounce-class": MEANINGS[reason].klass.value} if reason else {}
    verdict = classify(reply.text, reply.enhanced, reply.code)
    if verdict.klass is Class.HARD and carried.ended.stage not in _ABOUT_IT:
        # said before anybody was named: it is about us
        return {"bounce": "policy", "bounce-class": Class.BLOCK.value}
    return {"bounce": verdict.reason, "bounce-class": verdict.klass.value}
