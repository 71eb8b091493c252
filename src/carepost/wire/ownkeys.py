"""What is said of the organisation's own keys and its authority: by the API, and to its clients. No private part."""

import msgspec


class OwnKey(msgspec.Struct, frozen=True):
    """Times: UTC microseconds, 0: none. `state`: waiting (for its certificate), active, retired (only opens, `until`),
    revoked. `always`: signs also what leaves unencrypted. `vouched`: by an authority, not by its own certificate
    alone. `exportable`: its private part may be given out."""

    id: str
    address: str
    shared: bool
    method: str
    algorithm: str
    state: str
    source: str
    signs: bool
    decrypts: bool
    always: bool
    fingerprint: str
    not_after: int
    until: int
    made_at: int
    used_at: int
    #: its private part may be given out
    exportable: bool
    has_request: bool
    has_revocation: bool
    vouched: bool
    name: str = ""
    #: by an authority of the organisation's own
    ours: bool = False


class OwnKeys(msgspec.Struct, frozen=True):
    """`cursor`: of the next page; "" on the last."""

    own_keys: tuple[OwnKey, ...]
    cursor: str = ""


class ImportedOwnKey(msgspec.Struct, frozen=True):
    """What an import takes, or would. `replaces`: how many keys of the same owner sign nothing more from then on. `id`:
    "" of a dry run."""

    method: str
    algorithm: str
    address: str
    fingerprint: str
    not_after: int
    signs: bool
    decrypts: bool
    issuers: int
    replaces: int
    id: str = ""


class PublicPart(msgspec.Struct, frozen=True):
    """What may be given out: `text` is PEM, or an armored OpenPGP certificate. `name` holds no address."""

    name: str
    text: str


class OwnAuthority(msgspec.Struct, frozen=True):
    """`state`: active (it issues) or retired. `held`, `revoked`: certificates of it that hold now, and that were taken
    back. `list_url`: where everybody fetches the list of those, as certificates name it; signed at `list_at`, counts
    until `list_until`. Times: UTC microseconds."""

    id: str
    name: str
    algorithm: str
    state: str
    fingerprint: str
    domains: tuple[str, ...]
    list_url: str
    certificate_url: str
    made_at: int
    not_after: int
    held: int
    revoked: int
    list_number: int
    list_at: int
    list_until: int


class OwnAuthorities(msgspec.Struct, frozen=True):
    authorities: tuple[OwnAuthority, ...]
