"""Organisations and all that belongs to them: units, sender domains, staff, roles, keys, rules, routes, suppression.
A write is an action with an actor; it raises the organisation's epoch and writes its event in one transaction (law 8).
Never holds a message, a recipient's session or a secret in clear: secrets are hashes, verifiers or wrapped keys.
Doors: `actions.*`, `select.*`, `scope`, `permissions`, `keys`, `sealing`; the engine reads `engine_*` views only.
"""
