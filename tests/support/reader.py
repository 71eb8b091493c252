"""A message as the person it is for sees it in the portal, and the answer as its sender gets it."""

import email
import email.policy
import html
import re
from email.message import EmailMessage

import msgspec

from tests.support.house import House
from tests.support.mailers import SENDER
from tests.support.visitor import Shown, Visitor, link_in
from tests.support.waiting import until

#: agreed beforehand with every recipient
CODE = "Blue Heron 42"


class Seen(msgspec.Struct, frozen=True):
    """What the person sees: the page, the text in its frame, and the attachments' names."""

    page: Shown
    frame: Shown
    files: tuple[str, ...]
    visitor: Visitor
    path: str

    @property
    def words(self) -> str:
        return html.unescape(re.sub(r"<[^>]+>", " ", self.page.text))

    def file(self, number: int = 0) -> Shown:
        found = self.visitor.get(f"{self.path}/file/{number}")
        assert found.status == 200
        assert found.fields["content-type"] == "application/octet-stream"
        assert found.fields["x-content-type-options"] == "nosniff"
        assert found.fields["content-disposition"].startswith("attachment;")
        assert "sandbox" in found.fields["content-security-policy"]
        return found


def opened(house: House, to: str) -> Seen:
    """From the notice to the message."""
    [notice] = house.arrived(to)
    path = link_in(house.raw(notice["id"]))
    visitor = Visitor(house)
    assert visitor.post(f"{path}/prove", path, answer=CODE).status == 302
    page = visitor.get(f"{path}/read")
    assert page.status == 200, page.text
    source = re.search(r'<iframe[^>]*src="([^"]+)"', page.text)
    assert source is not None
    frame = visitor.get(html.unescape(source[1]))
    assert frame.status == 200
    names = re.findall(r'<span class="cp-name">(.*?)</span>', page.text, re.DOTALL)
    return Seen(page, frame, tuple(html.unescape(name) for name in names), visitor, path)


def answer_to(house: House, case: str) -> EmailMessage:
    """The answer as it lies in the sender's mailbox, where reports may lie too."""

    def look() -> EmailMessage | None:
        for one in house.mails(SENDER):
            mail = email.message_from_bytes(house.raw(one["id"]), policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("plain",))
            if body is not None and f"Thank you for {case}" in body.get_content().splitlines():
                return mail
        return None

    found = until(look, within=30, what=f"the answer to {case} arrives")
    assert found is not None
    return found
