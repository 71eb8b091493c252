"""The SMTP session without a socket: order of commands, extensions, pipelining, limits (RFC 5321, 2920, 6531, 3461)."""

import pytest

from carepost.ground.errors import Refused, Unavailable
from carepost.reception.smtp.effects import Accept, SenderRefused
from tests.support.talk import Role, StartTls, Talk

pytestmark = pytest.mark.fast


def test_ehlo_offers_auth_only_under_tls_and_starttls_only_before() -> None:
    clear, secure = Talk(secure=False), Talk()
    offers = clear.say("EHLO x.test")
    assert "250-STARTTLS" in offers and not any("AUTH" in o for o in offers)
    offers = secure.say("EHLO x.test")
    assert "250-AUTH PLAIN LOGIN SCRAM-SHA-256" in offers and "250-STARTTLS" not in offers
    for offer in ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN"):
        assert f"250-{offer}" in offers
    assert offers[-1] == "250 ENHANCEDSTATUSCODES"


def test_a_message_is_handed_over_whole_with_its_envelope() -> None:
    talk = Talk().sign_in()
    said = talk.say(
        "MAIL FROM:<nurse@maple.test> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=abc",
        "RCPT TO:<Ann@Elsewhere.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;ann@old.test",
        "DATA",
    )
    assert [s[:3] for s in said] == ["250", "250", "354"]
    assert talk.raw(b"Subject: x\r\n\r\n..dot\r\n.\r\n") == []
    accept = talk.accept
    assert accept.body == b"Subject: x\r\n\r\n.dot\r\n"
    assert accept.via == "ESMTPSA"
    assert accept.org == talk.clinics.maple.snapshot.id
    envelope = accept.envelope
    assert (envelope.sender, envelope.ret, envelope.envid, envelope.eightbit) == (
        "nurse@maple.test",
        "HDRS",
        "abc",
        True,
    )
    assert envelope.recipients[0].address == "Ann@elsewhere.test"
    assert envelope.recipients[0].notify == ("SUCCESS", "FAILURE")
    assert talk.take() == ["250 2.0.0 Accepted as id-1"]
    assert talk.bodies.held == 0


def test_commands_pipelined_behind_the_final_dot_wait_for_its_answer_and_are_answered_in_the_same_write() -> None:
    talk = Talk().sign_in()
    talk.begin()
    assert talk.raw(b"a: b\r\n\r\nx\r\n.\r\nMAIL FROM:<nurse@maple.test>\r\nRCPT TO:<b@c.test>\r\nDATA\r\n") == []
    assert isinstance(talk.effect, Accept)
    assert talk.say("NOOP") == []
    said = talk.take()
    assert [s[:3] for s in said] == ["250", "250", "250", "354"]
    # NOOP came after DATA: it is the message's first line
    talk.raw(b".\r\n")
    assert talk.accept.body == b"NOOP\r\n"


def test_a_refusal_after_the_dot_carries_its_enhanced_code_and_the_session_goes_on() -> None:
    talk = Talk().sign_in()
    talk.begin()
    talk.raw(b".\r\n")
    refused = Refused("from", "From names another domain.", enhanced="5.7.1")
    assert talk.replies(talk.session.failed(refused)) == ["550 5.7.1 From names another domain."]
    talk.begin()
    talk.raw(b".\r\n")
    assert talk.replies(talk.session.failed(Unavailable("disk", "No room."))) == ["451 4.3.0 No room."]
    talk.begin()
    talk.raw(b".\r\n")
    assert talk.replies(talk.session.failed(None))[0].startswith("451 4.3.0")
    assert [s[:3] for s in talk.begin()] == ["250", "250", "354"]


def test_order_of_commands() -> None:
    talk = Talk()
    assert talk.say("MAIL FROM:<a@maple.test>") == ["503 5.5.1 Say EHLO first"]
    assert talk.say("HELO x.test", "MAIL FROM:<a@maple.test>")[1] == "530 5.7.0 Authentication required"
    talk.sign_in()
    assert talk.say("RCPT TO:<a@b.test>") == ["503 5.5.1 Say MAIL first"]
    assert talk.say("DATA") == ["503 5.5.1 Say MAIL first"]
    talk.say("MAIL FROM:<a@maple.test>")
    assert talk.say("DATA") == ["503 5.5.1 Say RCPT first"]
    assert talk.say("MAIL FROM:<a@maple.test>") == ["503 5.5.1 Not in this order"]
    assert talk.say("AUTH PLAIN") == ["503 5.5.1 Not in this order"]
    assert talk.say("RSET", "MAIL FROM:<a@maple.test>") == ["250 2.0.0 OK", "250 2.1.0 OK"]
    assert talk.say("EHLO x.test")[-1] == "250 ENHANCEDSTATUSCODES"
    assert talk.say("RCPT TO:<a@b.test>") == ["503 5.5.1 Say MAIL first"]


def test_all_recipients_refused_refuses_data() -> None:
    talk = Talk().sign_in()
    said = talk.say("MAIL FROM:<a@maple.test>", "RCPT TO:<nonsense>", "DATA")
    assert said[1].startswith("501") and said[2] == "554 5.5.1 No recipient was accepted"


def test_the_null_sender_may_submit() -> None:
    talk = Talk().sign_in()
    assert [s[:3] for s in talk.begin(sender="")] == ["250", "250", "354"]


def test_small_commands() -> None:
    talk = Talk()
    assert talk.say("NOOP", "VRFY ann", "EXPN list", "HELP", "FROB", "QUIT") == [
        "250 2.0.0 OK",
        "252 2.1.5 Send some mail, and it will be seen",
        "502 5.5.1 Not offered here",
        "214 2.0.0 RFC 5321",
        "500 5.5.1 No such command",
        "221 2.0.0 Bye",
    ]
    assert talk.closing
    assert talk.say("NOOP") == []


def test_bi_008_what_is_pipelined_behind_starttls_is_dropped_and_nothing_before_tls_counts() -> None:
    talk = Talk(secure=False)
    said = talk.say("EHLO x.test", "STARTTLS", "EHLO injected.test", "MAIL FROM:<ceo@maple.test>")
    assert said[-1] == "220 2.0.0 Ready to start TLS"
    assert isinstance(talk.effect, StartTls)
    assert talk.replies(talk.session.secured()) == []
    # a new EHLO is asked for (RFC 3207 4.2)
    assert talk.say("MAIL FROM:<ceo@maple.test>") == ["503 5.5.1 Say EHLO first"]
    assert "250-AUTH PLAIN LOGIN SCRAM-SHA-256" in talk.say("EHLO x.test")
    assert talk.say("STARTTLS") == ["503 5.5.1 Not in this order"]


def test_submission_in_clear_asks_for_tls_first() -> None:
    talk = Talk(secure=False)
    assert talk.say("EHLO x.test", "MAIL FROM:<a@maple.test>")[-1] == "530 5.7.0 Say STARTTLS first"


def test_bi_025_size_is_refused_early_and_at_the_limit() -> None:
    talk = Talk(max_message=1000).sign_in()
    assert talk.say("MAIL FROM:<a@maple.test> SIZE=99999999999") == ["552 5.3.4 Message too large"]
    talk.say("MAIL FROM:<a@maple.test> SIZE=1", "RCPT TO:<b@c.test>", "DATA")
    assert talk.raw(b"x" * 1500 + b"\r\n.\r\n") == ["552 5.3.4 Message too large"]
    assert talk.bodies.held == 0
    # the session goes on, but a peer that never ends is cut
    talk.begin()
    assert talk.raw(b"x" * 2500)[-1].startswith("552") and talk.closing


def test_bodies_in_memory_are_bounded_over_all_sessions() -> None:
    talk = Talk().sign_in()
    talk.bodies.limit = 500
    talk.begin()
    assert talk.raw(b"x" * 600 + b"\r\n.\r\n")[0].startswith("452 4.3.1")
    assert talk.bodies.held == 0
    talk.begin()
    talk.raw(b"x" * 400)
    assert talk.bodies.held == 400
    talk.session.lost()
    assert talk.bodies.held == 0


def test_a_lost_connection_while_handing_over_gives_the_room_back_when_the_answer_comes() -> None:
    talk = Talk().sign_in()
    talk.begin()
    talk.raw(b"x: y\r\n\r\n.\r\n")
    held = talk.bodies.held
    talk.session.lost()
    assert talk.bodies.held == held > 0
    talk.take()
    assert talk.bodies.held == 0


def test_bi_020_recipients_over_the_limit_get_452_and_the_accepted_ones_stay() -> None:
    talk = Talk(max_recipients=100).sign_in()
    talk.say("MAIL FROM:<a@maple.test>")
    codes = [talk.say(f"RCPT TO:<r{n}@b.test>")[0][:9] for n in range(5000)]
    assert codes[:100] == ["250 2.1.5"] * 100
    assert set(codes[100:]) == {"452 4.5.3"}
    talk.say("DATA")
    talk.raw(b".\r\n")
    assert len(talk.accept.envelope.recipients) == 100


def test_too_many_errors_and_idle_commands_end_the_session() -> None:
    talk = Talk(max_errors=3)
    assert [talk.say("FROB")[0][:3] for _ in range(3)] == ["500"] * 3
    assert talk.say("FROB") == ["500 5.5.1 No such command", "421 4.7.0 Too many errors; closing"]
    assert talk.closing
    idle = Talk(max_idle_commands=5)
    assert idle.say(*["NOOP"] * 9)[-1].startswith("421 4.7.0")
    assert idle.closing


def test_harvesting_addresses_ends_the_session() -> None:
    talk = Talk(Role.MX, max_refused_recipients=10)
    talk.say("EHLO x.test", "MAIL FROM:<a@b.test>")
    said = talk.say(*[f"RCPT TO:<r{n}@foreign.test>" for n in range(20)])
    assert said[-1].startswith("421") and talk.closing


@pytest.mark.parametrize("line", [b"EHLO x.test\n", b"NOOP\nRSET\r\n", b"NOOP\rRSET\r\n", b"NO\rOP"])
def test_bi_001_a_command_with_a_bare_cr_or_lf_ends_the_session(line: bytes) -> None:
    talk = Talk()
    assert talk.raw(line)[-1].startswith("521 5.5.2")
    assert talk.closing


def test_bi_001_a_message_with_a_bare_newline_ends_the_session_and_nothing_after_it_is_read() -> None:
    talk = Talk().sign_in()
    talk.begin()
    said = talk.raw(b"Subject: x\r\n\r\none\n.\nMAIL FROM:<ceo@maple.test>\r\n.\r\nNOOP\r\n")
    assert said == ["521 5.5.2 Lines end with CR LF, nothing else; closing"]
    assert talk.closing and talk.bodies.held == 0


def test_bi_005_a_nul_is_refused_after_the_whole_message() -> None:
    talk = Talk().sign_in()
    talk.begin()
    assert talk.raw(b"x\r\n\0.\r\nMAIL FROM:<ceo@maple.test>\r\n.\r\n") == ["550 5.6.0 A message may not hold NUL"]
    assert talk.say("NOOP") == ["250 2.0.0 OK"]


def test_bi_006_bdat_is_not_offered_and_what_follows_it_is_not_read_as_commands() -> None:
    talk = Talk().sign_in()
    talk.say("MAIL FROM:<a@maple.test>", "RCPT TO:<b@c.test>")
    said = talk.raw(b"BDAT 30 LAST\r\nMAIL FROM:<ceo@maple.test>\r\n")
    assert said == ["502 5.5.1 BDAT is not offered; closing"]
    assert talk.closing


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("<" + "a" * 65 + "@maple.test>", "553"),
        ("<a@" + "b" * 60 + "." + ("c" * 60 + ".") * 4 + "test>", "553"),
        ("<a b@maple.test>", "501"),
        ("a@maple.test", "501"),
    ],
)
def test_bi_016_paths_over_the_limits(path: str, code: str) -> None:
    talk = Talk().sign_in()
    assert talk.say(f"MAIL FROM:{path}")[0].startswith(code)


def test_bi_017_a_line_end_inside_a_quoted_local_part_makes_two_broken_commands() -> None:
    talk = Talk().sign_in()
    talk.say("MAIL FROM:<a@maple.test>")
    said = talk.raw(b'RCPT TO:<"a b\r\nDATA"@x.test>\r\n')
    assert [s[:3] for s in said] == ["501", "500"]
    assert not talk.session.in_data


@pytest.mark.parametrize("path", ["user@[127.0.0.1]", "user@[IPv6:::1]", "@a.test,@b.test:u@c.test", "u@localhost"])
def test_bi_018_literals_and_source_routes_are_refused(path: str) -> None:
    talk = Talk().sign_in()
    talk.say("MAIL FROM:<a@maple.test>")
    assert talk.say(f"RCPT TO:<{path}>")[0][:1] == "5"


@pytest.mark.parametrize("path", ["user%other.test@foreign.test", "dom.test!user@foreign.test", "a@b@foreign.test"])
def test_bi_019_percent_and_bang_paths_relay_nothing_at_the_mx(path: str) -> None:
    talk = Talk(Role.MX)
    talk.say("EHLO x.test", "MAIL FROM:<a@b.test>")
    assert talk.say(f"RCPT TO:<{path}>")[0][:1] == "5"
    # nor at our own domain, where the local part stays what it is
    assert talk.say("RCPT TO:<user%other.test@maple.test>")[0].startswith("550 5.1.1")


def test_bi_021_a_utf8_address_needs_the_parameter() -> None:
    talk = Talk().sign_in()
    assert talk.say("MAIL FROM:<a@maple.test>", "RCPT TO:<änne@b.test>")[1].startswith("553 5.6.7")
    talk.say("RSET", "MAIL FROM:<a@maple.test> SMTPUTF8")
    assert talk.say("RCPT TO:<änne@b.test>") == ["250 2.1.5 OK"]
    talk.say("DATA")
    talk.raw(b".\r\n")
    assert talk.accept.via == "UTF8SMTPSA"


@pytest.mark.parametrize("name", ["[127.0.0.1]", "mail.maple.test", "a_b"])
def test_bi_026_any_name_may_be_said_and_none_is_believed(name: str) -> None:
    assert Talk().say(f"EHLO {name}")[0] == "250-mail.maple.test"


@pytest.mark.parametrize("name", ["", "a b", "\x01", "x" * 300])
def test_bi_026_what_is_no_name_is_refused(name: str) -> None:
    assert Talk().say(f"EHLO {name}")[0].startswith("501")


def test_unknown_parameters_are_refused() -> None:
    talk = Talk().sign_in()
    assert talk.say("MAIL FROM:<a@maple.test> FROB=1")[0].startswith("555 5.5.4")
    talk.say("MAIL FROM:<a@maple.test>")
    assert talk.say("RCPT TO:<a@b.test> NOTIFY=NEVER,FAILURE")[0].startswith("501 5.5.4")


def test_a_browser_made_to_speak_to_us_is_cut() -> None:
    talk = Talk()
    assert talk.say("POST / HTTP/1.1", "MAIL FROM:<a@b.test>")[-1].startswith("554") and talk.closing


def test_an_endless_line_is_cut() -> None:
    talk = Talk(max_line=1000)
    assert talk.raw(b"NOOP " + b"x" * 2000)[-1].startswith("500 5.5.6") and talk.closing


def test_the_mx_takes_mail_for_our_domains_only_and_offers_no_auth() -> None:
    talk = Talk(Role.MX)
    assert not any("AUTH" in offer for offer in talk.say("EHLO x.test"))
    assert talk.say("AUTH PLAIN")[0].startswith("502")
    said = talk.say("MAIL FROM:<ann@elsewhere.test>", "RCPT TO:<b@elsewhere.test>", "RCPT TO:<portal@maple.test>")
    assert said[1:] == ["550 5.7.1 Relay denied", "250 2.1.5 OK"]
    # another organisation's recipient comes in another message
    assert talk.say("RCPT TO:<notice@harbour.test>")[0].startswith("452 4.5.3")
    talk.say("DATA")
    talk.raw(b".\r\n")
    assert (talk.accept.identity, talk.accept.via, talk.accept.org) == (None, "ESMTPS", talk.clinics.maple.snapshot.id)


@pytest.mark.parametrize("name", ["notice", "postmaster", "PostMaster", "portal", "portal+mfzq", "PORTAL+abc"])
def test_the_mx_takes_what_comes_back_to_notices_and_to_the_portal(name: str) -> None:
    talk = Talk(Role.MX)
    talk.say("EHLO x.test", "MAIL FROM:<>")
    assert talk.say(f"RCPT TO:<{name}@maple.test>") == ["250 2.1.5 OK"]


@pytest.mark.parametrize("name", ["nurse", "postmasters", "notices", "notice+x", "portals", "portalx+a", "", "a%b"])
def test_the_mx_has_no_other_mailbox_whoever_asks(name: str) -> None:
    """What nobody here answers for would be queued for the domain's own MX: a loop when we are that MX (BI-027)."""
    talk = Talk(Role.MX)
    talk.say("EHLO x.test", "MAIL FROM:<ann@elsewhere.test>")
    said = talk.say(f"RCPT TO:<{name}@maple.test>")
    assert said[0].startswith("550 5.1.1 No such mailbox here" if name else "501")


def test_the_portals_address_is_its_organisations_own() -> None:
    """Its portal is portal@maple.test; another of its domains has notices, and no portal."""
    talk = Talk(Role.MX)
    talk.say("EHLO x.test", "MAIL FROM:<>")
    said = talk.say("RCPT TO:<notice@lab.maple.test>", "RCPT TO:<portal@lab.maple.test>")
    assert [s[:9] for s in said] == ["250 2.1.5", "550 5.1.1"]


def test_bi_015_a_refused_sender_is_told_of_with_who_it_was() -> None:
    talk = Talk().sign_in("maple-lab")
    said = talk.say(*[f"MAIL FROM:<{a}>" for a in ("boss@harbour.test", "dr@maple.test", "x@nobody.test")], "RSET")
    assert [s[:9] for s in said] == ["550 5.7.1"] * 3 + ["250 2.0.0"]
    found = [(e.identity.credential.id, e.sender, e.cause) for e in talk.asked if isinstance(e, SenderRefused)]
    assert found == [
        ("cred-maple-lab", "boss@harbour.test", "not-our-domain"),
        ("cred-maple-lab", "dr@maple.test", "not-this-credential"),
        ("cred-maple-lab", "x@nobody.test", "not-our-domain"),
    ]
    assert talk.say("MAIL FROM:<dr@lab.maple.test>") == ["250 2.1.0 OK"]
    assert talk.asked == [], "each is told once"


def test_office_unreadable_means_451_for_everyone() -> None:
    submit, mx = Talk().sign_in(), Talk(Role.MX)
    mx.say("EHLO x.test")
    for talk in (submit, mx):
        talk.clinics.lose_office()
        assert talk.say("MAIL FROM:<a@maple.test>")[0].startswith("451 4.3.0")


def test_draining_closes_idle_sessions_now_and_busy_ones_after_their_answer() -> None:
    idle = Talk()
    assert idle.replies(idle.session.drain())[0].startswith("421 4.3.2") and idle.closing
    busy = Talk().sign_in()
    busy.begin()
    assert busy.replies(busy.session.drain()) == []
    busy.raw(b".\r\nMAIL FROM:<a@maple.test>\r\n")
    said = busy.take()
    assert [s[:3] for s in said] == ["250", "421"] and busy.closing


def test_repeats_are_said_in_the_reply() -> None:
    talk = Talk().sign_in()
    talk.begin()
    talk.raw(b".\r\n")
    assert talk.take("id-2", repeats="id-1") == ["250 2.0.0 Accepted as id-2 (repeats id-1)"]
    talk.begin()
    talk.raw(b".\r\n")
    assert talk.take("id-1", repeated=True) == ["250 2.0.0 Accepted before as id-1"]
