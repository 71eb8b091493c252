"""review: what waits for a person, as those who may decide see it; what they decide; the letters that tell them.

It never sends and never decides about protection: its acts are the engine's, one commit each with its event. It never
keeps anything of a message: what it shows is read from the shard that holds it, and each look is an event before it is
shown (law 7). Absent, forbidden and another organisation's answer the same NotFound. `who`: held.Who, of one person.
Doors (org: UUID; Permission.RELEASE, and READ for the message itself):
    held.listing(org, who, *, kind="", cursor="", limit=50) -> held.Page         event message.listed
    held.one(org, who, delivery) -> held.Detail                                  event message.listed
    held.content(org, who, delivery) -> (HeldView, mailbox.content.Content)      event message.viewed
    held.count(org) -> int                                                       a figure, nothing of a message
    acts.release(org, who, deliveries, *, reason, method="") -> list[acts.Done]  event delivery.released | approved
    acts.refuse(org, who, deliveries, *, reason, note="") -> list[acts.Done]     event delivery.turned-down
    acts.agree(org, who, delivery, *, reason, code | question, answer) -> acts.Done   event delivery.access-agreed
    settings.of(org), settings.change(org, *, actor, reason, ...)                event review.changed
    letters.send(door, now, where) -> int                                        for the journal alone
"""
