"""What the bootstrap process answers to the supervisor."""

import msgspec


class Bootstrapped(msgspec.Struct, frozen=True):
    """What the supervisor prints once; secrets are kept nowhere else."""

    #: path of the administrator's one-time sign-in link on the console's origin, or ""
    welcome: str = ""
    #: id of the organisation `demo`, or ""
    org: str = ""
    #: an API key of `demo` (scopes send, read), only when `demo` was made now
    api_key: str = ""
    smtp_username: str = ""
    smtp_password: str = ""
    #: there is no organisation yet
    empty: bool = False
