"""What a page may say of an address before anyone has proved who they are."""

_DOTS = "•••"


def mask(address: str) -> str:
    """`j•••@c•••.test`: the first letters and the last label. The length says nothing."""
    local, _, domain = address.rpartition("@")
    name, dot, top = domain.rpartition(".")
    return f"{_first(local)}@{_first(name or domain)}{dot}{top if dot else ''}"


def _first(text: str) -> str:
    return (text[:1] or "") + _DOTS
