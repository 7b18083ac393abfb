"""Writers that hammer a server, and remember what it has answered: the ledger against which a crash is judged."""

from __future__ import annotations

import functools
import queue
import threading
from dataclasses import dataclass, field

import requests

from beside import Workers
from gate import PASSWORD, Gatehouse


@dataclass
class Family:
    """One session as its client knows it."""

    access: str
    refresh: str
    rotated: list[str] = field(default_factory=list)
    ended: bool = False
    # A request was under way when the server died: it may have been done, or not.
    uncertain: bool = False


class Load(Workers):
    """Registrations, refreshes and log-outs by several threads, until the server is gone or `end` is called."""

    def __init__(self, server: Gatehouse, carried: list[Family] | None = None, registrars: int = 2, refreshers: int = 3):
        """`carried`: sessions of earlier loads, alive and certain, to go on with."""
        self.server = server
        self.families: list[Family] = []
        self.failures: list[str] = []
        self.answered = 0
        self._lock = threading.Lock()
        self._fresh: queue.Queue[Family] = queue.Queue()
        for family in carried or []:
            self._fresh.put(family)
        super().__init__(
            *[self._register] * registrars, *[functools.partial(self._refresh_and_end, number) for number in range(refreshers)])

    def start(self) -> "Load":
        return self.__enter__()

    def end(self) -> None:
        """Waits until every writer has ended: those in the middle of a request with it."""
        self.__exit__()
        assert not any(thread.is_alive() for thread in self._threads)

    def _call(self, session: requests.Session, path: str, expected: int, body: dict | None = None, token: str | None = None):
        """The answer, or None when the server died before giving one."""
        try:
            answer = self.server.call("POST", "/api/v1/auth/" + path, session=session, json=body, token=token, timeout=10)
            session.cookies.clear()
        except requests.RequestException:
            self.stopping.set()
            return None
        with self._lock:
            self.answered += 1
            if answer.status_code != expected:
                self.failures.append(f"{path}: {answer.status_code} {answer.text[:300]}")
                self.stopping.set()
                return None
        return answer

    def _register(self) -> None:
        with requests.Session() as session:
            while not self.stopping.is_set():
                with self._lock:
                    email = self.server.address("load")
                answer = self._call(session, "register", 201, {"email": email, "password": PASSWORD})
                if answer is None:
                    return
                body = answer.json()
                family = Family(body["access_token"], body["refresh_token"])
                with self._lock:
                    self.families.append(family)
                self._fresh.put(family)

    def _refresh_and_end(self, number: int) -> None:
        """Takes a session, rotates it a few times, and logs every other one out."""
        with requests.Session() as session:
            while not self.stopping.is_set():
                try:
                    family = self._fresh.get(timeout=0.05)
                except queue.Empty:
                    continue
                for _ in range(12):
                    family.uncertain = True
                    answer = self._call(session, "refresh", 200, {"refresh_token": family.refresh})
                    if answer is None:
                        return
                    family.uncertain = False
                    body = answer.json()
                    family.rotated.append(family.refresh)
                    family.access, family.refresh = body["access_token"], body["refresh_token"]
                    if self.stopping.is_set():
                        return
                if number % 2 == 1:
                    self._fresh.put(family)
                else:
                    family.uncertain = True
                    if self._call(session, "logout", 204, token=family.access) is None:
                        return
                    family.uncertain, family.ended = False, True


def verify(server: Gatehouse, families: list[Family]) -> None:
    """What was acknowledged holds: live sessions live, ended ones stay ended. Changes nothing that a later check needs."""
    with requests.Session() as session:
        for family in families:
            answer = server.call("GET", "/api/v1/auth/me", token=family.access, session=session)
            if family.ended:
                assert answer.status_code == 401, "an ended session's access token came back"
                again = server.call("POST", "/api/v1/auth/refresh", session=session, json={"refresh_token": family.refresh})
                assert again.status_code == 401, "an ended session's refresh token came back"
            elif not family.uncertain:
                assert answer.status_code == 200, f"an acknowledged session is lost: {answer.text}"


def verify_rotation(server: Gatehouse, families: list[Family]) -> None:
    """The last token given out works, and no rotated one does. Presenting a rotated token ends its family: the last check."""
    with requests.Session() as session:
        for family in families:
            if not family.ended and not family.uncertain:
                answer = server.call("POST", "/api/v1/auth/refresh", session=session, json={"refresh_token": family.refresh})
                assert answer.status_code == 200, f"an acknowledged rotation is lost: {answer.text}"
            for token in family.rotated[-3:]:
                answer = server.call("POST", "/api/v1/auth/refresh", session=session, json={"refresh_token": token})
                assert answer.status_code == 401, "a rotated token came back"
