"""The office is down or hangs: the engine goes on accepting and delivering, and only the office's own paths are 503."""

import os
import signal
import threading
import time
from pathlib import Path

from tests.support.house import House
from tests.support.mailers import Smtp, mail
from tests.support.waiting import until


def test_the_engine_goes_on_without_staff_and_outside(tmp_path: Path) -> None:
    with House(tmp_path, "sandbox", "engine", "journal") as house:
        sent = house.send("jane.roe@verified.test")
        smtp = Smtp(house)
        for command, code in zip(smtp.envelope("john.roe@dane.test"), (250, 250, 354), strict=True):
            smtp.say(command)
            smtp.expect(code)
        smtp.say(mail("john.roe@dane.test"), b".\r\n")
        smtp.expect(250)
        house.arrived("jane.roe@verified.test")
        house.arrived("john.roe@dane.test")
        # the portal's notice needs no portal process to be sent
        house.send("jane.roe@selfsigned.test")
        house.arrived("jane.roe@selfsigned.test")
        preview = {"from": "nora.sample@clinic.test", "to": ["jane.roe@verified.test"], "subject": "x", "text": "y"}
        assert house.request("POST", "/api/v1/protection/preview", preview)[0] == 200
        assert house.request("GET", "/health")[0] == 200
        for path in ("/api/v1/messages", f"/api/v1/messages/{sent['id']}", "/api/v1/domains"):
            status, answer = house.request("GET", path)
            assert status == 503 and "Sending goes on" in answer["detail"].replace("sending", "Sending"), (path, answer)
        house.stop()


def test_an_office_that_hangs_stops_no_mail(tmp_path: Path) -> None:
    """SIGSTOP: the process is there, takes connections, and says nothing."""
    with House(tmp_path, "sandbox", "engine", "staff") as house:
        sent = house.send("first@verified.test")
        assert house.request("GET", f"/api/v1/messages/{sent['id']}")[0] == 200
        staff = house.pid("staff")
        os.kill(staff, signal.SIGSTOP)
        answered: list[int] = []
        waiting = [
            threading.Thread(
                target=lambda: answered.append(house.request("GET", f"/api/v1/messages/{sent['id']}", within=60)[0])
            )
            for _ in range(5)
        ]
        for thread in waiting:
            thread.start()
        began = time.monotonic()
        house.send("second@verified.test")
        house.arrived("second@verified.test")
        assert house.request("GET", "/health")[0] == 200
        assert time.monotonic() - began < 10
        assert not answered
        os.kill(staff, signal.SIGCONT)
        for thread in waiting:
            thread.join(60)
        assert answered == [200] * 5
        until(lambda: house.request("GET", f"/api/v1/messages/{sent['id']}")[0] == 200, within=10, what="it answers")
