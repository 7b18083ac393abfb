"""Honest clients of several instances, behind the gateway of one and behind nginx, while instances are killed, stopped, restarted and replaced."""

import collections
import functools
import itertools
import time

import pytest
import requests

from beside import Workers
from gate import PASSWORD
from instances import DOORS, PATIENCE, Cluster, within

names = itertools.count(1)


@pytest.fixture(scope="module", params=DOORS)
def door(request):
    return request.param


@pytest.fixture(scope="module")
def _cluster(door, postgres, tmp_path_factory):
    """Three behind the gateway of one of them, two behind nginx."""
    url = postgres.socket_url(postgres.new_database())
    made = Cluster(tmp_path_factory.mktemp("faults"), 3 if door == "gateway" else 2, {"database": {"url": url}})
    yield made.start()
    made.close()


@pytest.fixture
def cluster(_cluster, request):
    request.node.servers = _cluster.members
    return _cluster


class Residents(Workers):
    """Clients that register, change their name, refresh and look at themselves, again and again. What was acknowledged is what they expect to
    see; who got no answer asks again with what it has."""

    def __init__(self, cluster: Cluster, door: str, count: int = 5):
        self.outcomes: collections.Counter = collections.Counter()
        self.failures: list[str] = []
        self.wrong: list[str] = []
        self.slowest = 0.0
        self.accounts: list[dict] = []
        super().__init__(*[functools.partial(self._live, cluster.visitor(door)) for _ in range(count)])

    def __exit__(self, *_) -> None:
        super().__exit__()
        self.failed = sum(count for outcome, count in self.outcomes.items() if outcome != "answered")
        self.share = self.failed / max(1, self.outcomes.total())

    def __str__(self) -> str:
        return f"{self.outcomes.total()} requests, {self.failed} failed ({100 * self.share:.2f} %), slowest {self.slowest:.2f} s: {dict(self.outcomes)}"

    def _ask(self, what: str, expected: set[int], call) -> requests.Response | None:
        begun = time.monotonic()
        try:
            answer = call()
        except requests.RequestException as error:
            self.outcomes["connection lost"] += 1
            self.failures.append(f"{what}: {error}")
            return None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer.status_code in expected:
            self.outcomes["answered"] += 1
            return answer
        self.outcomes[answer.status_code] += 1
        (self.failures if answer.status_code >= 500 else self.wrong).append(f"{what}: {answer.status_code} {answer.text[:300]}")
        return None

    def _live(self, at) -> None:
        while not self.stopping.is_set():
            account = self._register(at)
            for turn in range(6):
                if account is None or self.stopping.is_set():
                    break
                self._change(at, account, f"Name {turn} of {next(names)}")
                self._refresh(at, account)
                self._look(at, account)

    def _register(self, at) -> dict | None:
        email = f"resident{next(names)}@example.com"
        answer = self._ask("register", {201}, lambda: at.post("/api/v1/auth/register", {"email": email, "password": PASSWORD}))
        if answer is None:
            return None
        made = answer.json()
        account = {"email": email, "access": made["access_token"], "refresh": made["refresh_token"], "name": None, "unanswered": []}
        self.accounts.append(account)
        return account

    def _change(self, at, account: dict, name: str) -> None:
        if self._ask("change", {200}, lambda: at.call("PATCH", "/api/v1/auth/me", account["access"], json={"name": name})):
            account["name"] = name
        else:
            # An instance that was stopped in the middle may do it once it goes on, and that is later than what was asked for meanwhile.
            account["unanswered"].append(name)

    def _refresh(self, at, account: dict) -> None:
        if answer := self._ask("refresh", {200}, lambda: at.refresh(account["refresh"])):
            account["access"], account["refresh"] = answer.json()["access_token"], answer.json()["refresh_token"]

    def _look(self, at, account: dict) -> None:
        # Another instance may remember for a second what was before.
        answer = self._ask("look", {200}, lambda: at.me(account["access"]))
        if answer is not None and answer.json()["email"] != account["email"]:
            self.wrong.append(f"{answer.json()['email']} instead of {account['email']}")

    def nothing_is_lost(self, cluster: Cluster) -> None:
        """At every instance: each account has the name that was acknowledged last, and its tokens are good."""
        assert self.accounts
        for number, account in enumerate(self.accounts):
            at = cluster.visitor(number % len(cluster.members))
            within(1.5, account["email"], lambda: at.me(account["access"]).json().get("name") in [account["name"], *account["unanswered"]])
            assert at.refresh(account["refresh"]).status_code == 200, account["email"]


def test_instances_die_hang_and_come_back(cluster, door, record_property):
    """CHECKLIST 10, 45: killed with its machine, stopped, restarted: nothing acknowledged is lost, no answer is wrong, few requests fail."""
    last, hung = cluster.members[-1], cluster.members[1]
    ended = cluster.visitor(len(cluster.members) - 1)
    session = ended.register("ended@example.com")
    with Residents(cluster, door) as residents:
        time.sleep(0.5)
        assert ended.logout(session["access_token"]).status_code == 204
        last.kill()
        last.lose_socket()
        time.sleep(0.8)
        last.start()
        assert cluster.visitor(-1).me(session["access_token"]).status_code == 401
        time.sleep(0.5)
        hung.pause()
        time.sleep(PATIENCE + 0.5)
        hung.go_on()
        time.sleep(0.5)
    print(residents)
    record_property("requests", str(residents))
    assert not residents.wrong, residents.wrong[:5]
    residents.nothing_is_lost(cluster)
    assert residents.outcomes["answered"] > 200 and residents.slowest < 8 and residents.share < 0.05, (str(residents), residents.failures[:10])
    assert all(each.me(session["access_token"]).status_code == 401 for each in cluster.each())


def test_an_upgrade_one_after_the_other_fails_no_request(cluster, door, record_property):
    """Each is asked to leave and started again, its socket kept by the service manager; the door's own instance too."""
    with Residents(cluster, door) as residents:
        time.sleep(0.5)
        for each in cluster.members:
            assert each.stop() == 0
            each.start()
            time.sleep(0.2)
    print(residents)
    record_property("requests", str(residents))
    assert not residents.wrong and not residents.failures, (str(residents), residents.wrong[:5], residents.failures[:5])
    residents.nothing_is_lost(cluster)
