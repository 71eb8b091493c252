"""Deliveries leave here: claimed from the queue, decided again, made ready, carried, judged, settled.

Never sends below a recipient's floor, never sends anything but a Sealed, never holds a transaction while it works.
The floor is checked after STARTTLS and before every MAIL, also on a pooled connection (DESIGN 1, law 4).
Doors: `worker.Worker(queue, world)` (start, stop; the queue's Taker), `world.World` (what an attempt works with),
`courier.Courier`, `hops.Finder`, `mtasts.Policies`, `https.PolicyFetch`, `resolver.Resolver`, `trust.Anchors`,
`methods.tls.Preparer`, `schedule.Schedule`; pure: `outcome.classify`, `floor.assess`, `conclude.conclude`."""
