"""S/MIME 4.0 (RFC 8551, 5652): messages encrypted and signed, opened and judged; certificates read; keys made.

Pure: bytes and times in, values out. Never fetches a revocation list, never decides what an organisation trusts, never
shows a byte of what did not open, and never calls a signature valid while anything speaks against it.
Doors:
`message.encrypt(message, recipients, at, *, signer=None, gcm=None, display=True) -> bytes` and `message.sign(message,
signer, at, *, opaque=False) -> bytes`: the new message, ready for DKIM and DATA. `envelope.Recipient(certificate,
capabilities)` and `signing.Signer(identity)` are made once and kept.
`opening.open_(message, identities, trust, at) -> Opened` (message, verdict, layers); `opening.is_smime(message)`,
`opening.recipients(message)` (whose keys would open it).
`certificate.parse(raw)`, `certificate.bundle(raw)`; `usable.for_encryption(certificate, address, at, trust,
intermediates)`, `usable.for_signature(...)`, `usable.Trust`; `chain.TrustStore`, `revocation.Evidence`.
`smimea.owner, certificates, agrees` (RFC 8162).
`identity.generate, self_signed, request, load, private_bytes, import_pkcs12, export_pkcs12`. Errors: `errors`.
"""
