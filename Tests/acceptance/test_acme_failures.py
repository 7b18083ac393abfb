"""An authority that fails, at every step and for long; a server that is killed at every step. Counted at the authority."""

import datetime
import time

import pytest

from authority import STEPS
from certificates import fingerprint
from clock import MovedClock
from ordering import NAME, ports, settle
from waiting import eventually

MINUTE, HOUR, DAY = 60, 3600, 86_400


def clocked(tmp_path) -> tuple[MovedClock, dict]:
    clock = MovedClock(tmp_path)
    return clock, {"env": clock.env}


def at(server, clock: MovedClock, seconds: int) -> None:
    """The same server, so many seconds after the test's beginning."""
    assert server.stop() == 0
    clock.set(seconds)
    server.start()


def until_trusted(server, clock, limit: int = 6, but=None) -> None:
    """Restarts the server at each time that it has planned its next attempt for, until it has a certificate other than `but`."""

    def came() -> bool:
        return server.is_trusted() and (but is None or fingerprint(server.leaf()) != fingerprint(but))

    passed = clock.now()
    for _ in range(limit):
        told = server.status()["next_action_at"]
        if told:
            passed = max(passed + 61, int(datetime.datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp() - time.time()) + 2)
        at(server, clock, passed)
        try:
            eventually(came, 6)
            return
        except AssertionError:
            continue
    raise AssertionError(f"no certificate after {limit} attempts: {server.status()}")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
def test_killed_during_every_step(make_ordering, done):
    """`kill -9` while the authority holds a request of every kind: the next start goes on, with the same account, without a second
    order where the first can be used."""
    where = ports()
    authority = None
    for step in STEPS:
        server = make_ordering(authority=authority, at=where)
        authority = server.authority
        accounts, orders = authority.count("account", status=201), authority.count("order", status=201)
        with authority.held(step, done=done) as fault:
            server.start()
            # An order that is valid at once is never polled.
            if not fault.reached.wait(20 if step != "poll" else 5):
                assert step == "poll" and server.is_trusted(), f"{step} was never asked for"
                server.kill()
                authority.mend()
                continue
            server.kill()
        authority.mend()
        server.start()
        eventually(lambda: server.is_trusted() or server.problem(), 30)
        if not server.is_trusted():
            # The authority looked for us while nobody was there: that order is lost, and the next one a minute away.
            assert step == "challenge", f"killed during {step}: {server.problem()}"
            assert server.renew().returncode == 0
            assert server.is_trusted()
        assert authority.count("account", status=201) - accounts == 1, f"{step}: another account"
        assert authority.count("order", status=201) - orders <= 2, f"{step}: orders pile up"
        for path in server.acme_files():
            assert path.stat().st_mode & 0o777 == 0o600 and "new" not in path.suffix, path
        server.kill()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503, "retry_after": "1"}, {"cut": True}, {"cut": True, "done": True}], ids=str)
def test_one_fault_at_every_step(make_ordering, fault):
    """It gets over it by itself, or tells what it was and does so when asked to try again."""
    where = ports()
    authority = None
    for step in STEPS:
        server = make_ordering(authority=authority, at=where)
        authority = server.authority
        orders = authority.count("order", status=201)
        authority.fail(step, **fault)
        server.start()
        eventually(lambda: server.is_trusted() or server.problem(), 30)
        if not server.is_trusted():
            assert server.problem()["message"], step
            authority.mend()
            # A Retry-After of a second is obeyed on demand, too.
            settle(1.2 if "retry_after" in fault else 0)
            done = server.renew()
            assert done.returncode == 0 and server.is_trusted(), f"{step}: {done.stdout}{done.stderr}"
        assert authority.count("order", status=201) - orders <= 2, step
        authority.mend()
        server.kill()


@pytest.mark.parametrize(
    ("step", "body"),
    [("directory", b"<html>maintenance</html>"), ("directory", b"{}"), ("directory", b'{"newNonce": 1}'), ("order", b"[]"), ("order", b"{" * 100_000),
     ("order", b" " * 20_000_000), ("authorization", b'{"status":"???"}'), ("certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
     ("certificate", b"")], ids=lambda value: repr(value)[:30])
def test_answers_that_are_none(make_ordering, step, body):
    """Something else than ACME at the other end: told, in bounds, and the server goes on."""
    server = make_ordering()
    server.authority.fail(step, status=200, body=body, times=10_000)
    server.start()
    problem = server.wait_problem()
    assert problem["message"] and server.process.poll() is None
    assert not server.is_trusted() and server.call("GET", "/health").status_code == 200


def test_a_rejected_challenge_is_told(make_ordering):
    """CHECKLIST 39: words that an operator can act on, and the authority's own document."""
    server = make_ordering()
    server.authority.pebble.resolver("set-servfail", host=NAME)
    server.start()
    problem = server.wait_problem()
    assert NAME in problem["message"] and "port 80" in problem["message"], problem
    assert "acme:error:" in str(problem["document"]), problem
    told = server.run("cert", "status")
    assert told.returncode == 0 and NAME in told.stdout and "Last problem" in told.stdout
    assert any("acme:error:" in str(entry) for entry in server.log_entries()), "the document is in the log"


def test_a_refused_name_is_told(make_ordering):
    """rejectedIdentifier: which of the names, and no order for the rest in silence."""
    server = make_ordering({"acme": {"domains": [NAME, "blocked.test"], "certificates": "one"}}, pebble={"domainBlocklist": ["blocked.test"]}).start()
    problem = server.wait_problem()
    assert problem["document"]["type"] == "urn:ietf:params:acme:error:rejectedIdentifier" and "blocked.test" in str(problem)


@pytest.mark.timeout(240)
def test_failures_back_off_across_restarts(make_ordering, tmp_path):
    """CHECKLIST 37: 1 min, 10 min, 100 min …; restarts change nothing; under 5 failures per name and hour, counted at the authority."""
    clock, moved = clocked(tmp_path)
    server = make_ordering(**moved)
    authority = server.authority
    authority.fail("order", status=500, times=10_000)
    attempts = []

    def attempted(seconds: int) -> int:
        """How many orders a start at that time makes; a 500 itself may be tried again at once, which is counted too."""
        before = authority.count("order")
        at(server, clock, seconds) if server.process else server.start()
        settle(1.5)
        made = authority.count("order") - before
        attempts.extend([seconds] * bool(made))
        return made

    assert attempted(0) > 0
    for seconds in (1, 20, 50):
        assert attempted(seconds) == 0, f"again after {seconds} s"
    assert attempted(70) > 0
    for seconds in (71, 300, 600):
        assert attempted(seconds) == 0, f"a second failure, and again at {seconds} s"
    assert attempted(70 + 11 * MINUTE + 10) > 0
    for seconds in (1000, 2 * HOUR - 600):
        assert attempted(seconds) == 0, f"a third failure, and again at {seconds} s"
    assert attempted(70 + 11 * MINUTE + 10 + 111 * MINUTE) > 0
    # By then it is at most one a day.
    assert attempted(6 * HOUR) == 0
    for begins in range(0, 6 * HOUR, MINUTE):
        assert len([each for each in attempts if begins <= each < begins + HOUR]) < 5
    assert authority.count("account", status=201) == 1
    # And after the fault it comes by itself.
    authority.mend()
    at(server, clock, 2 * DAY)
    server.wait_trusted()


def test_retry_after_is_obeyed(make_ordering, tmp_path):
    """CHECKLIST 37: 429 with Retry-After: not before, over a restart too."""
    clock, moved = clocked(tmp_path)
    server = make_ordering(**moved)
    server.authority.fail("order", status=429, problem="rateLimited", detail="too many orders", retry_after=str(3 * HOUR), times=10_000)
    server.start()
    problem = server.wait_problem()
    assert problem["document"]["type"].endswith("rateLimited") and "too many orders" in str(problem)
    next_at = datetime.datetime.fromisoformat(server.status()["next_action_at"].replace("Z", "+00:00")).timestamp()
    assert next_at - time.time() > 3 * HOUR - 60
    server.authority.mend()
    for seconds in (2 * MINUTE, HOUR, 3 * HOUR - 60):
        at(server, clock, seconds)
        settle(1)
        assert server.authority.count("order") == 1, f"asked again after {seconds} s"
    at(server, clock, 3 * HOUR + 30 * MINUTE)
    server.wait_trusted()


@pytest.mark.timeout(240)
def test_the_authority_is_gone_for_a_day(make_ordering, tmp_path):
    """A renewal is due and nobody answers: the old one is served throughout, restarts too; later it is renewed by itself."""
    clock, moved = clocked(tmp_path)
    # Three days: due at half of it.
    server = make_ordering(pebble={"certificateValidityPeriod": 3 * DAY}, renewal=False, **moved)
    authority = server.authority
    server.start()
    first = server.wait_trusted()
    authority.fail("order", cut=True, times=10_000)
    for hours in (37, 38, 42):
        at(server, clock, hours * HOUR)
        settle()
        assert server.problem()["message"] and fingerprint(server.leaf()) == fingerprint(first)
    authority.go()
    at(server, clock, 60 * HOUR)
    settle()
    assert fingerprint(server.leaf()) == fingerprint(first) and server.call("GET", "/health").status_code == 200
    assert "localhost" in server.problem()["message"] and server.status()["status"] == "expiring"
    authority.mend()
    authority.come()
    # Not before the pause after so many failures is over.
    until_trusted(server, clock, but=first)


@pytest.mark.timeout(240)
def test_gone_from_the_beginning(make_ordering, tmp_path):
    """No certificate yet and nobody there: self-signed, told, and later it comes by itself."""
    clock, moved = clocked(tmp_path)
    server = make_ordering(**moved)
    server.authority.go()
    server.start()
    problem = server.wait_problem()
    assert "localhost" in problem["message"] and server.leaf().issuer == server.leaf().subject
    server.authority.come()
    at(server, clock, DAY)
    server.wait_trusted()


@pytest.mark.timeout(240)
def test_a_second_authority(make_ordering, make_authority, tmp_path):
    """The first one fails for long: the fallback is asked, with an account of its own."""
    clock, moved = clocked(tmp_path)
    where = ports()
    first, second = make_authority(*where), make_authority(*where)
    both = tmp_path / "both.pem"
    both.write_bytes(first.ca_file.read_bytes() + second.ca_file.read_bytes())
    server = make_ordering({"acme": {"fallback_directory": second.directory, "ca_file": str(both)}}, authority=first, at=where, **moved)
    first.fail("order", status=503, times=10_000)
    server.start()
    server.wait_problem()
    assert second.count("order") == 0, "one failure is none"
    until_trusted(server, clock)
    assert server.status()["authority"] == second.directory and second.count("account", status=201) == 1
    assert second.violations == []
    # The first one is back: what is there stays until it is due.
    first.mend()
    server.restart()
    settle()
    assert server.status()["authority"] == second.directory


@pytest.mark.timeout(240)
def test_a_dry_run_after_a_failure(make_ordering, make_authority, tmp_path):
    """After a failed order the next attempt goes to the staging directory first, and to the real one only when that has succeeded."""
    clock, moved = clocked(tmp_path)
    where = ports()
    production, staging = make_authority(*where), make_authority(*where)
    both = tmp_path / "both.pem"
    both.write_bytes(production.ca_file.read_bytes() + staging.ca_file.read_bytes())
    server = make_ordering({"acme": {"staging_directory": staging.directory, "ca_file": str(both)}}, authority=production, at=where, **moved)
    for authority in (production, staging):
        authority.pebble.resolver("set-servfail", host=NAME)
    server.start()
    server.wait_problem()
    assert production.count("order", status=201) == 1 and staging.seen == []
    at(server, clock, 2 * MINUTE)
    eventually(lambda: staging.count("order", status=201) == 1, 20)
    settle(2)
    assert production.count("order", status=201) == 1, "the dry run failed: nothing is asked of the real one"
    for authority in (production, staging):
        authority.pebble.resolver("clear-servfail", host=NAME)
    until_trusted(server, clock)
    assert server.status()["authority"] == production.directory and production.count("order", status=201) == 2
    assert production.is_of(server.leaf()) and staging.violations == []
