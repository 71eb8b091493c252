"""What a gateway's session may do before its messages say whose they are."""

from carepost.reception.gateways import Gateways, Peer
from carepost.reception.smtp import replies
from carepost.rfc import address, esmtp
from carepost.rfc.errors import RfcError


class Gate:
    """One a session. `peer`: what its handshake showed."""

    def __init__(self, gateways: Gateways, peer: Peer) -> None:
        self._gateways = gateways
        self._known: bool | None = None
        self.peer = peer

    def mail(self, argument: bytes) -> bytes:
        """A refusal of this MAIL, or b"". Raises Unavailable. The null sender is let pass: its From is looked at when
        the message is there."""
        if self._known is None:
            self._known = self._gateways.known(self.peer)
        if not self._known:
            return replies.UNKNOWN_PEER
        try:
            sender = esmtp.parse_mail(argument).sender
        except RfcError:
            # the transaction says what is wrong with it
            return b""
        if not sender or self._gateways.may_begin(self.peer, address.domain(sender)):
            return b""
        # what a mailbox forwards may keep its first sender: the end of DATA says whose it is
        if not self._gateways.may_forward(self.peer):
            return replies.NOT_THROUGH_HERE
        return b""
