"""OpenPGP (RFC 9580) for mail (RFC 3156, RFC 9788): certificates, keys, sealing, opening, and where keys are found.

Bytes in, values out. Never opens a socket or a file, never reads a clock, never keeps a key, never fetches one. Nothing
is encrypted to a certificate that is revoked, expired, weak or another's; nothing without integrity protection is read.
Refusals are `errors.OpenPgpError`: Malformed, Weak, Unusable, NotDecrypted. Times are UTC microseconds.
Doors:
  message.seal(message: bytes, recipients: Sequence[tuple[address, Certificate]], *, at: int, signer=None,
               display=True) -> bytes
  message.sign(message: bytes, signer) -> bytes
  message.kind(message: bytes) -> str                       what its root says; "" for what is not ours
  message.open_(message: bytes, keys: Sequence[PrivateKey], certificates: Sequence[Certificate], *, at: int) -> Opened
  message.unprotected(message: bytes) -> Verdict            of a message that is not ours: partly signed, or not
  certificate.read(data: bytes) -> Certificate, certificate.split(data: bytes) -> list[bytes]
  usable.why_not(known, address, at, *, sign=False) -> str, usable.check, usable.only, usable.merge, usable.WORDS
  keys.generate, keys.rotate, keys.bring_in, keys.signer, keys.revoke, keys.armored, keys.export
  secret.load(raw: bytes, passphrase: str = "") -> PrivateKey
  wkd.urls(address) -> tuple[str, str]; autocrypt.read(message), autocrypt.field(address, certificate)
"""
