"""keyring: the organisation's own keys, and the certificates and keys of recipients: where each came from, and which is used.

It never replaces a pinned key by a found one, and never hands a private key out unwrapped.
"""
