"""Clients of a machine's server that note every answer they do not get."""

from __future__ import annotations

import functools
import itertools
import time

import requests
import urllib3

from beside import Workers
from gate import PASSWORD
from machine import Machine

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class Clients(Workers):
    """Three that connect anew for each request, two that keep their connection, and one that registers accounts, until the `with` ends."""

    def __init__(self, machine: Machine, url: str):
        self._machine, self._url = machine, url
        self.failures: list[str] = []
        self.registered: list[str] = []
        self._count = itertools.count()
        self.answered = 0
        super().__init__(*[
            functools.partial(self._run, work) for work in [self._anew] * 3 + [self._kept] * 2 + [self._register]])

    def wait_for(self, more: int, within: float = 30) -> None:
        """Until so many more requests were answered."""
        wanted, deadline = self.answered + more, time.monotonic() + within
        while self.answered < wanted:
            assert time.monotonic() < deadline and not self.failures, (self.answered, self.failures)
            time.sleep(0.01)

    def _run(self, work) -> None:
        with self._machine.network():
            session = requests.Session()
            session.verify = False
            # Else the variables of the environment would count for more.
            session.trust_env = False
            while not self.stopping.is_set():
                try:
                    answer, expected = work(session)
                    if answer.status_code != expected:
                        self.failures.append(f"{answer.status_code} {answer.text}")
                    self.answered = next(self._count)
                except requests.RequestException as error:
                    self.failures.append(f"{work.__name__}: {error!r}")

    def _anew(self, session):
        session.close()
        return session.get(f"{self._url}/api/v1/health/live", timeout=30), 200

    def _kept(self, session):
        return session.get(f"{self._url}/api/v1/health/live", timeout=30), 200

    def _register(self, session):
        email = f"user{len(self.registered)}@example.com"
        answer = session.post(f"{self._url}/api/v1/auth/register", json={"email": email, "password": PASSWORD}, timeout=30)
        if answer.status_code == 201:
            self.registered.append(email)
        return answer, 201
