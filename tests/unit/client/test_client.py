"""The Python client against a server that misbehaves in every way it must bear."""

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from carepost.client import ApiError, AsyncClient, Attachment, Client, Message, Unreachable
from carepost.client.calls import Retry

SOON = Retry(tries=4, first=0.001, longest=0.002)
ACCEPTED = {"id": "m-1", "deliveries": []}
LETTER = Message("nurse@clinic.test", ("ann@there.test",), subject="Visit", text="Hello")
Answer = tuple[int, Any, dict[str, str]] | None


class Server:
    """`answers`: one for each request, the last one repeated; None: the connection is cut. `seen`: what came."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [(202, ACCEPTED, {})]
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                if answer is None:
                    self.close_connection = True
                    return
                status, value, headers = answer
                raw = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_PUT = do_POST

            def log_message(self, *_: object) -> None: ...

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def problem(status: int, code: str) -> dict[str, Any]:
    return {"type": f"urn:carepost:problem:{code}", "title": "No", "status": status, "errors": [
        {"pointer": "/to/0", "detail": "Give one address."}
    ]}  # fmt: skip


def test_a_send_says_who_asks_and_carries_a_key_of_its_own(server: Server) -> None:
    with Client(server.url, "the-key", retry=SOON) as client:
        assert client.send(LETTER).id == "m-1"
        client.send(LETTER, idempotency_key="visit 7")
    (_, path, headers, body), (_, _, second, _) = server.seen
    assert path == "/api/v1/messages" and headers["authorization"] == "Bearer the-key"
    assert json.loads(body) == {
        "from": "nurse@clinic.test", "to": ["ann@there.test"], "subject": "Visit", "text": "Hello",
    }  # fmt: skip
    assert len(headers["idempotency-key"]) > 20 and second["idempotency-key"] == '"visit 7"'


@pytest.mark.parametrize("trouble", [
    (503, problem(503, "database"), {}), (429, problem(429, "rate"), {"Retry-After": "0"}), None,
    (409, problem(409, "in-flight"), {}), (502, "no problem at all", {}),
], ids=["503", "429", "cut", "in-flight", "502"])  # fmt: skip
def test_what_may_pass_is_tried_again_under_the_same_key(server: Server, trouble: Answer) -> None:
    server.answers = [trouble, trouble, (202, ACCEPTED, {})]
    with Client(server.url, "k", retry=SOON) as client:
        assert client.send(LETTER).id == "m-1"
    keys = {headers["idempotency-key"] for _, _, headers, _ in server.seen}
    assert len(server.seen) >= 3 and len(keys) == 1


def test_what_will_not_pass_is_told_at_once_and_says_where(server: Server) -> None:
    server.answers = [(422, problem(422, "invalid"), {})]
    with Client(server.url, "k", retry=SOON) as client, pytest.raises(ApiError) as told:
        client.send(LETTER)
    assert (told.value.status, told.value.code, told.value.errors[0].pointer) == (422, "invalid", "/to/0")
    assert len(server.seen) == 1 and "ann@there" not in str(told.value)


def test_tries_end(server: Server) -> None:
    server.answers = [(503, problem(503, "x"), {})]
    with Client(server.url, "k", retry=SOON) as client:
        with pytest.raises(ApiError):
            client.send(LETTER)
        assert len(server.seen) == SOON.tries
        server.answers = [None]
        with pytest.raises(Unreachable):
            client.send(LETTER)


def test_a_wait_beyond_the_patience_is_not_begun(server: Server) -> None:
    server.answers = [(429, problem(429, "rate"), {"Retry-After": "3600"})]
    with Client(server.url, "k", retry=SOON) as client, pytest.raises(ApiError):
        client.send(LETTER)
    assert len(server.seen) == 1


def test_what_could_happen_twice_is_not_asked_twice(server: Server) -> None:
    server.answers = [None]
    with Client(server.url, "k", retry=SOON) as client, pytest.raises(Unreachable):
        client.upload("a.txt", b"x")
    assert len(server.seen) == 1


def test_a_batch_tells_of_each(server: Server) -> None:
    server.answers = [(202, {"messages": [ACCEPTED, {"problem": problem(422, "invalid")}]}, {})]
    with Client(server.url, "k", retry=SOON) as client:
        first, second = client.send_batch([LETTER, LETTER])
    assert first.id == "m-1" and second.problem is not None and second.problem.status == 422


def test_pages_follow_one_another_and_a_search_keeps_addresses_out_of_the_url(server: Server) -> None:
    view = {"id": "m", "org": "o", "at": 1, "sender": "", "subject": "", "message_id": "", "origin": "api",
            "category": "", "size": 1, "deliveries": []}  # fmt: skip
    server.answers = [
        (200, {"messages": [view], "cursor": "c1"}, {}), (200, {"messages": [view], "cursor": ""}, {}),
        (200, {"messages": [view], "cursor": ""}, {}),
    ]  # fmt: skip
    with Client(server.url, "k", retry=SOON) as client:
        assert len(list(client.messages(tag="visit"))) == 2
        assert len(client.search(recipient="ann@there.test").messages) == 1
    assert [path for _, path, _, _ in server.seen] == [
        "/api/v1/messages?tag=visit", "/api/v1/messages?tag=visit&cursor=c1", "/api/v1/messages/search",
    ]  # fmt: skip


def test_a_file_is_uploaded_and_named(server: Server) -> None:
    server.answers = [(201, {"id": "u-1", "size": 3, "expires_at": 5}, {})]
    with Client(server.url, "k", retry=SOON) as client:
        kept = client.upload('a "b".pdf', b"%PD", "application/pdf")
    assert Attachment(upload_id=kept.id).upload_id == "u-1"
    _, _, headers, body = server.seen[0]
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="a %22b%22.pdf"' in body and body.endswith(b"--\r\n")


def test_the_async_client_does_many_at_once_and_retries(server: Server) -> None:
    async def run() -> list[str]:
        async with AsyncClient(server.url, "k", retry=SOON) as client:
            return [one.id for one in await asyncio.gather(*(client.send(LETTER) for _ in range(40)))]

    server.answers = [(503, problem(503, "x"), {}), None, (202, ACCEPTED, {})]
    assert asyncio.run(run()) == ["m-1"] * 40
    assert len({h["idempotency-key"] for _, _, h, _ in server.seen}) == 40


@pytest.mark.fast
@pytest.mark.parametrize("url", ["http://mail.clinic.example", "ftp://x", "mail.clinic.example", "https://x/api"])
def test_an_address_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Client(url, "k")


@pytest.mark.fast
def test_both_clients_know_the_same_calls() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
    assert isinstance(Client.send, Callable)  # type: ignore[arg-type]


JOB = {"id": "j-1", "kind": "retract", "state": "running", "created_at": 1, "changed_at": 2, "expires_at": 3, "seen": 5,
       "made": 4, "cause": ""}  # fmt: skip
OVER = {**JOB, "state": "done"}


def test_a_job_is_begun_once_and_waited_for(server: Server) -> None:
    server.answers = [(202, JOB, {}), (200, JOB, {}), (200, OVER, {}), (200, {"jobs": [OVER]}, {})]
    with Client(server.url, "k", retry=SOON) as mail:
        job = mail.begin_job("retract", {"tag": "x"}, reason="wrong")
        assert job.open and not mail.wait_for_job(job.id, every=0.001).open
        assert [one.made for one in mail.jobs()] == [4]
    assert json.loads(server.seen[0][3]) == {"kind": "retract", "search": {"tag": "x"}, "reason": "wrong"}
    assert [path for _, path, _, _ in server.seen[1:]] == ["/api/v1/jobs/j-1"] * 2 + ["/api/v1/jobs"]


def test_a_job_whose_answer_was_lost_is_not_begun_again(server: Server) -> None:
    server.answers = [None]
    with Client(server.url, "k", retry=SOON) as mail, pytest.raises(Unreachable):
        mail.begin_job("retract", {"tag": "x"})
    assert len(server.seen) == 1


def test_sending_again_carries_a_key_and_is_repeated_under_it(server: Server) -> None:
    server.answers = [None, (202, {"id": "m-2", "deliveries": [], "left_out": {"d-1": "retracted"}}, {})]

    async def ask() -> Any:
        async with AsyncClient(server.url, "k", retry=SOON) as mail:
            return await mail.resend("m-1", reason="lost", as_today=True)

    done = asyncio.run(ask())
    assert (done.id, done.left_out) == ("m-2", {"d-1": "retracted"})
    first, second = server.seen
    assert first[2]["idempotency-key"] == second[2]["idempotency-key"]
    assert json.loads(second[3]) == {"reason": "lost", "deliveries": [], "as_today": True}


def test_how_far_ahead_is_put_again_where_the_answer_was_lost(server: Server) -> None:
    server.answers = [None, (200, {"days": 60, "most": 366}, {}), (200, {"days": 60, "most": 366}, {})]
    with Client(server.url, "k", retry=SOON) as mail:
        assert mail.set_sending_ahead(60, reason="spring").days == 60 and mail.sending_ahead().most == 366
    assert [(method, path) for method, path, _, _ in server.seen] == [
        ("PUT", "/api/v1/sending/ahead"), ("PUT", "/api/v1/sending/ahead"), ("GET", "/api/v1/sending/ahead"),
    ]  # fmt: skip
    assert json.loads(server.seen[1][3]) == {"days": 60, "reason": "spring"}
