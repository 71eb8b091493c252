"""An S/MIME message opened: layer after layer from the outermost entity inwards, and never anything beside it.

Only what the message as a whole is wrapped in counts (RFC 9787 4). An encrypted or signed part among others stays
closed: decrypted beside foreign parts it could be sent out by them (EFAIL, BI-067), and signed beside them it would
lend them its name (BI-074). After a private key was used every failure is the one error CannotOpen (BI-080).

CBC lets anyone change what he cannot read (EFAIL, BI-068). What comes out of it is believed where a signature inside it
holds, or where not one block of it is noise, which every such change leaves behind; else the message stays closed.
"""

import re
from collections.abc import Sequence

import msgspec

from carepost.crypto.smime import enveloped, oids, reader, usable, verdict, verifying
from carepost.crypto.smime.errors import CannotOpen, Malformed, SmimeError
from carepost.crypto.smime.identity import Identity
from carepost.crypto.smime.usable import Trust
from carepost.crypto.smime.verdict import Verdict
from carepost.rfc import displayed, mime, parts, protected
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import RfcError
from carepost.rfc.parts import Part

#: layers around one message: signed, encrypted, signed again (RFC 2634), and one to spare
MAX_LAYERS = 4

_CMS = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURE = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_NOISE = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]|\r(?!\n)")


class Opened(msgspec.Struct, frozen=True, eq=False):
    """`message`: what is shown and passed on: as its sender composed it, protected header fields in their place; the
    message itself where it is no S/MIME. `protection` and `hidden` as in `rfc.protected.Opened`.
    `layers`: signed | cbc | gcm, outermost first. `key`: fingerprint of the certificate whose key opened it."""

    message: bytes
    verdict: Verdict
    layers: tuple[str, ...] = ()
    protection: str = ""
    hidden: tuple[str, ...] = ()
    key: str = ""

    def __repr__(self) -> str:
        # no content: this text may reach a log
        return f"Opened(layers={self.layers}, bytes={len(self.message)}, valid={self.verdict.valid})"


class _Layer(msgspec.Struct, frozen=True, eq=False):
    kind: str
    content: bytes
    #: of a signature
    reports: tuple[verifying.Report, ...] = ()
    certificates: tuple[bytes, ...] = ()
    #: of a signature that cannot be read
    fault: str = ""
    key: str = ""


def is_smime(message: bytes) -> bool:
    """Whether the outermost entity says it is signed or encrypted by S/MIME; False for what is no message."""
    try:
        found, _ = parts.outermost(message)
    except RfcError:
        return False
    return _is_cms(found) or _is_clear_signed(found)


def recipients(message: bytes) -> tuple[bytes, ...]:
    """Whom the message names as its readers, as `Certificate.issuer_and_serial` or `Certificate.key_id`: so that no
    other private key need be fetched or unwrapped. Empty where it is not encrypted, or cannot be read."""
    entity = message
    try:
        for _ in range(MAX_LAYERS):
            root, spans = parts.outermost(entity)
            if _is_clear_signed(root):
                entity = _clear_signed(entity, spans).content
                continue
            if not _is_cms(root):
                break
            raw = mime.decode(entity, root)
            if oids.SIGNED_DATA in raw[:40]:
                entity = _lines(verifying.read(raw).content or b"")
                continue
            return tuple(info.who for info in enveloped.read(raw).infos)
    except (SmimeError, RfcError):
        pass
    return ()


def open_(message: bytes, identities: Sequence[Identity], trust: Trust, at: int) -> Opened:
    """Raises NotForUs, CannotOpen, Unsupported, Malformed. A bad signature is no error but a verdict. `at`: when the
    message came (UTC microseconds): a certificate that ran out since then does not spoil what it signed before."""
    try:
        rfc_message.read(message)
        layers = _layers(message, identities)
        if not layers:
            return Opened(message, Verdict(notes=_beside(message)))
        _believable(layers)
        return _opened(message, layers, trust, at)
    except RfcError as error:
        raise Malformed(error.code) from None


def _layers(message: bytes, identities: Sequence[Identity]) -> list[_Layer]:
    found: list[_Layer] = []
    entity = message
    while len(found) < MAX_LAYERS:
        inside = any(layer.kind != "signed" for layer in found)
        try:
            layer = _peel(entity, identities)
        except (SmimeError, RfcError):
            if inside:
                raise CannotOpen from None
            raise
        if layer is None:
            break
        found.append(layer)
        entity = layer.content
        if layer.fault:
            break
    return found


def _peel(entity: bytes, identities: Sequence[Identity]) -> _Layer | None:
    """The outermost layer of `entity`, or None where it has none."""
    root, spans = parts.outermost(entity)
    if _is_clear_signed(root):
        return _clear_signed(entity, spans)
    if not _is_cms(root):
        return None
    raw = mime.decode(entity, root)
    try:
        envelope = enveloped.read(raw)
    except Malformed:
        signed = verifying.read(raw)
        if signed.content is None:
            raise Malformed("a signature without its content") from None
        content = _lines(signed.content)
        return _Layer("signed", content, verifying.check(signed, signed.content), signed.certificates)
    plain = reader.open_(envelope, identities)
    return _Layer(plain.cipher, _lines(plain.content), key=plain.key)


def _clear_signed(entity: bytes, spans: list[tuple[int, int]]) -> _Layer:
    """multipart/signed (RFC 1847 2.1): exactly two parts, the signature the second of them."""
    if len(spans) != 2:
        return _Layer("signed", entity, fault="malformed")
    content = entity[spans[0][0] : spans[0][1]]
    try:
        second = entity[spans[1][0] : spans[1][1]]
        part, _ = parts.outermost(second)
        if part.type not in _SIGNATURE:
            return _Layer("signed", entity, fault="malformed")
        signed = verifying.read(mime.decode(second, part))
    except (Malformed, RfcError):
        return _Layer("signed", content, fault="malformed")
    if signed.content is not None and signed.content != content:
        # two contents, one shown and one signed
        return _Layer("signed", content, fault="malformed")
    return _Layer("signed", content, verifying.check(signed, content), signed.certificates)


def _is_cms(root: Part) -> bool:
    if root.type in _CMS:
        return True
    # what gateways make of it (RFC 8551 3.9)
    name = root.disposition_params.get("filename") or root.params.get("name", "")
    return root.type == "application/octet-stream" and name.lower() == "smime.p7m"


def _is_clear_signed(root: Part) -> bool:
    return root.type == "multipart/signed" and root.params.get("protocol", "").lower() in _SIGNATURE


def _lines(content: bytes) -> bytes:
    """Canonical line ends, where a program wrote its own (RFC 8551 3.1.1)."""
    return content if b"\r" in content else content.replace(b"\n", b"\r\n")


def _believable(layers: Sequence[_Layer]) -> None:
    """Raises CannotOpen for what came out of CBC and may have been changed on the way (BI-068)."""
    for number, layer in enumerate(layers):
        if layer.kind != "cbc":
            continue
        reports = [report for inner in layers[number + 1 :] for report in inner.reports]
        if any(verifying.BROKEN & set(report.faults) for report in reports):
            raise CannotOpen
        if any(report.intact for report in reports):
            continue
        if _NOISE.search(layer.content) or not _is_utf8(layer.content):
            raise CannotOpen


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _opened(message: bytes, layers: Sequence[_Layer], trust: Trust, at: int) -> Opened:
    last = max((n for n, layer in enumerate(layers) if layer.kind != "signed"), default=-1)
    counted, payload = layers[last + 1 :], layers[-1].content
    kinds = tuple(layer.kind for layer in layers)
    key = next((layer.key for layer in layers if layer.key), "")
    fault = next((layer.fault for layer in counted if layer.fault), "")
    notes = list(_beside(payload))
    if last > 0:
        notes += ["signed-outside-encryption"] * any(layer.kind == "signed" for layer in layers[:last])
    if fault and last < 0:
        return Opened(message, Verdict("", True, (fault,), tuple(notes)), kinds)
    try:
        if last >= 0 and not protected.mark(payload) and protected.mark(layers[last].content):
            # a message its sender had signed before it was encrypted for him: the header stands around his signature
            payload = layers[last].content
        opened = protected.open_(message, payload, encrypted=last >= 0)
        if opened.warnings:
            vouched = _vouched(counted, at, trust)
            opened = protected.open_(message, payload, encrypted=last >= 0, vouched=vouched)
        senders = [mailbox.address for mailbox in rfc_message.read(opened.message).from_]
    except RfcError:
        if last >= 0:
            raise CannotOpen from None
        raise
    signers = [
        verdict.judge(report, senders, at, trust, layer.certificates) for layer in counted for report in layer.reports
    ]
    reasons = [fault] if fault else []
    reasons += [reason for signer in signers for reason in signer.reasons]
    if counted:
        reasons += opened.warnings
        reasons += [] if signers or fault else ["no-signer"]
    else:
        notes += opened.warnings
    if not opened.protection:
        notes.append("header-unprotected")
    elif counted and payload is not layers[-1].content:
        notes.append("header-unsigned")
    if last >= 0 and layers[last].kind == "cbc" and not any(r.intact for layer in counted for r in layer.reports):
        notes.append("unauthenticated-cipher")
    encrypted = layers[last].kind if last >= 0 else ""
    found = Verdict(encrypted, bool(counted), tuple(dict.fromkeys(reasons)), tuple(notes), tuple(signers))
    shown = displayed.remove(opened.message) if opened.protection == "cipher" else opened.message
    return Opened(shown, found, kinds, opened.protection, opened.hidden, key)


def _vouched(counted: Sequence[_Layer], at: int, trust: Trust) -> frozenset[str]:
    """Addresses a good signature speaks for: only these may put a From in the place of the one outside (BI-075)."""
    found: set[str] = set()
    for layer in counted:
        for report in layer.reports:
            certificate = report.certificate
            if certificate is None or not report.intact:
                continue
            own = next(iter(certificate.addresses), "")
            if usable.for_signature(certificate, own, at, trust, layer.certificates).usable:
                found |= certificate.addresses
    return frozenset(found)


def _beside(entity: bytes) -> tuple[str, ...]:
    """Protected parts that are not the whole: they stay as they are."""
    try:
        leaves = parts.walk(entity)
    except RfcError:
        return ()
    notes = []
    if any("signed" in leaf.within or leaf.type in _SIGNATURE for leaf in leaves):
        notes.append("signed-part-not-root")
    if any("encrypted" in leaf.within or _is_cms(leaf) for leaf in leaves):
        notes.append("encrypted-part-not-root")
    return tuple(notes)
