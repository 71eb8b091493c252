"""webhooks: addresses of an organisation's own programs that are told what happens to its mail, signed (Standard
Webhooks 1.0, or SendGrid's event webhook), at least once, in the order of events.

It never tells what is personal to an address without an agreement on file, never keeps what a receiver answers but for
words of a closed list, and opens no connection itself: `delivery.hooks` does, with the guard against our own network.
Doors: `acts` (verbs of people and keys), `select` (reading), `log.deliveries`; for the journal `fanout.Fanout` (inside
its commit) and `sending.Sender` (a thread). Errors: Refused, NotFound, Forbidden.
"""
