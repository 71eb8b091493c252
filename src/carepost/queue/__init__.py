"""Deliveries waiting to leave: one row per recipient, leased to one worker at a time.

Never opens a socket, never decides how to protect a message, never keeps anything personal in clear.
Raises LeaseLost when another worker owns the delivery, Unavailable when the disk did not take it (nothing happened).
Doors: queue.Queue (accept, claim, mark_dot, settle, act, lookup, listing, body, drain, stats), types (values),
sealing (Opener: what drain, body and lookup hold, for the journal), taker.Taker (the local worker, seen from accept).

    Queue(shard, keys: OrgKeyBook, *, lease_s=3600, ...)         one a shard; all methods on the engine's loop
    await start()                                               recovers what a dead process had claimed
    await accept(new: NewMessage) -> Accepted                   after the commit. Refused 422 (BI-083), Unavailable
    submit(new) -> Future[Accepted]                             accept, not waited for: many share a commit
    await claim(limit, *, per_destination=20, wait_s=0.0) -> list[Claim]     waits until something can be claimed
    mark_dot(claim) -> None                                     call just before the final dot is written
    await settle(claim, settlement) -> None                     LeaseLost; Unavailable: call again, the lease stays
    await plain(claim) -> bytes                                 the body, opened
    await message(claim) -> MessageRecord
    await act(verb, org, deliveries, actor, reason) -> dict[str, str]        hold | release | retry | retract
    await lookup(org, message) -> MessageView                   NotFound
    await listing(org, state, limit) -> tuple[MessageView, ...]
    await body(org, message) -> StoredBody(chunks, wrapped_key, record)      NotFound
    await drain(after, acked, limit, wait_s=0.0) -> (tuple[Drained, ...], head)
    stats() -> dict[str, int]
    taker: Taker | None                                         deliveries due now are born claimed by it
"""
