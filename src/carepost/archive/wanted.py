"""What a search asks for. All that is given must fit; what is said of a recipient must fit one and the same."""

import msgspec


class Wanted(msgspec.Struct, frozen=True):
    """`recipient`: an address or a domain. `subject`: words, in any order (of the first twelve of a subject).
    `message_id`: the header's, or our id. Times: UTC microseconds, or 0."""

    recipient: str = ""
    sender: str = ""
    subject: str = ""
    message_id: str = ""
    tag: str = ""
    #: of any delivery
    state: str = ""
    since: int = 0
    until: int = 0
    #: origins that are left out (wire.types.Origin)
    without: tuple[str, ...] = ()
    #: the recipient's domain, besides or instead of `recipient`
    domain: str = ""
    #: provider group of the recipient's mail servers
    provider: str = ""
    #: how it went, or is to go: policy.types.Method
    method: str = ""
    #: label of what was reached
    assurance: str = ""
    category: str = ""
    #: what a look into it found: any of these policy.content.Level; (): whatever
    content: tuple[str, ...] = ()
    #: as `DeliveryView.opened` and `clicked`: any of these; (): whatever
    opened: tuple[str, ...] = ()
    clicked: tuple[str, ...] = ()

    @property
    def texts(self) -> bool:
        """Whether the search index is asked."""
        return any((self.recipient, self.sender, self.subject, self.message_id, self.tag, self.domain))

    @property
    def of_delivery(self) -> bool:
        """Whether a column of the delivery's row must fit."""
        return any((self.state, self.provider, self.method, self.assurance, self.content, self.opened, self.clicked))

    @property
    def of_rows(self) -> bool:
        return self.of_delivery or bool(self.category)
