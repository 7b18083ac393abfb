"""The certificate's life: when it is renewed, and that what is served never suffers from it."""

import threading
import time

import pytest

from certificates import fingerprint, renewal_identifier
from ordering import NAME, settle
from secure import SecureConnection, context, get
from test_faults import fill, small_disk  # noqa: F401: a fixture
from test_operating import get_unix
from waiting import eventually

# In the past: at once. For the first certificate only, or it would go on for ever.
FIRST_AT_ONCE = lambda number: (-100, -50) if number == 0 else None  # noqa: E731


def test_renewed_in_the_window_of_the_authority(make_ordering):
    """CHECKLIST 36: at the ARI window; the order carries `replaces`. 39: without a restart and without dropping a connection."""
    # Not before a tenth of the life has passed: a window that is always in the past would order without end.
    server = make_ordering(pebble={"certificateValidityPeriod": 50})
    server.authority.window = FIRST_AT_ONCE
    with server.authority.held("renewal", done=False) as fault:
        server.start()
        first = server.wait_trusted()
        assert fault.reached.wait(30)
        old = SecureConnection(server.https_port, NAME, context())
        old.send(get())
        assert old.answer().status == 200
    second = server.wait_renewed(first)
    assert time.time() < first.not_valid_before_utc.timestamp() + 20, "it waited for half of its life"
    orders = server.authority.all("order", status=201)
    assert [order.payload.get("replaces") for order in orders] == [None, renewal_identifier(first)]
    assert renewal_identifier(second) in server.authority.certificates
    old.send(get())
    assert old.answer().status == 200, "the connection from before is alive"
    # The next window is far away.
    settle(2)
    assert server.authority.count("order", status=201) == 2


@pytest.mark.timeout(120)
@pytest.mark.parametrize("renewal", ["none", "broken"])
def test_renewed_at_half_of_a_short_life(make_ordering, renewal):
    """CHECKLIST 36: without ARI, or with an ARI that fails, at half of a life below ten days; in real time, nothing assumed."""
    life = 30
    server = make_ordering(renewal=renewal != "none", pebble={"certificateValidityPeriod": life})
    if renewal == "broken":
        server.authority.fail("renewal", status=500, times=10_000)
    server.start()
    first = server.wait_trusted()
    begun = first.not_valid_before_utc.timestamp()
    server.wait_renewed(first, within=life)
    after = time.time() - begun
    assert life * 0.4 < after < life * 0.8, f"renewed after {after:.0f} s of {life}"


@pytest.mark.timeout(120)
def test_expiry_is_told(make_ordering):
    """Where no renewal comes: in the log, the metrics and the health; and HTTPS goes on with what there is."""
    server = make_ordering(pebble={"certificateValidityPeriod": 12}, renewal=False).start()
    leaf = server.wait_trusted()
    server.authority.fail("order", status=500, times=10_000)
    eventually(lambda: time.time() > leaf.not_valid_after_utc.timestamp() + 1, 40)
    health = server.call("GET", "/api/v1/health")
    assert health.json()["checks"]["certificate"]["status"] == "unhealthy", health.text
    told = server.status()
    assert told["status"] == "expired" and told["last_problem"]["document"]["type"].endswith("serverInternal")
    assert fingerprint(server.leaf()) == fingerprint(leaf)
    status, metrics = get_unix(server.data / "admin.sock", "/metrics")
    assert status == 200 and "certificate" in metrics
    server.restart()
    eventually(lambda: "has expired" in server.log_text())
    assert fingerprint(server.leaf()) == fingerprint(leaf)


def test_one_that_is_replaced_already(make_ordering):
    """RFC 9773 §5: 409 alreadyReplaced; it is ordered again without `replaces`."""
    server = make_ordering().start()
    first = server.wait_trusted()
    server.authority.replaced.add(renewal_identifier(first))
    done = server.renew("--force")
    assert done.returncode == 0, done.stdout + done.stderr
    assert fingerprint(server.leaf()) != fingerprint(first)
    orders = server.authority.all("order")
    assert any(order.payload.get("replaces") for order in orders) and orders[-1].payload.get("replaces") is None


def test_renewed_on_demand(make_ordering):
    """`cert renew`: what is not due stays, but for --force; an unknown name is an error."""
    server = make_ordering().start()
    first = server.wait_trusted()
    server.renew()
    settle()
    assert fingerprint(server.leaf()) == fingerprint(first) and server.authority.count("order", status=201) == 1
    done = server.renew("--force", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fingerprint(server.leaf()) != fingerprint(first)
    assert server.renew("other.test").returncode not in (0, 64)


def test_a_changed_account(make_ordering):
    """Pebble restarted has forgotten the account (accountDoesNotExist): a new one is registered, and the certificate renewed."""
    server = make_ordering().start()
    first = server.wait_trusted()
    server.authority.pebble.restart()
    done = server.renew("--force")
    assert done.returncode == 0, done.stdout + done.stderr
    assert fingerprint(server.leaf()) != fingerprint(first)
    assert server.authority.count("account", status=201) == 2


def test_a_failed_renewal_keeps_the_old_one(make_ordering):
    """CHECKLIST 39: and what fails is told with the authority's own problem document."""
    server = make_ordering().start()
    first = server.wait_trusted()
    server.authority.pebble.resolver("set-servfail", host=NAME)
    done = server.renew("--force")
    assert done.returncode != 0
    assert fingerprint(server.leaf()) == fingerprint(first)
    problem = server.problem()
    assert problem["document"] or "SERVFAIL" in problem["message"], problem
    assert NAME in problem["message"], problem
    server.restart()
    assert fingerprint(server.leaf()) == fingerprint(first)


def test_a_full_disk_before_an_order(make_ordering, small_disk):  # noqa: F811
    """CHECKLIST 37: a full disk leaves the old pair; nothing is ordered that could not be kept; afterwards all is well."""
    assert small_disk, "this needs the right to mount"
    server = make_ordering({"data_dir": str(small_disk / "data")}).start()
    first = server.wait_trusted()
    kept = {path: path.read_bytes() for path in (server.data / "acme/certificates").iterdir()}
    ballast = fill(small_disk)
    assert server.renew("--force").returncode != 0
    assert server.authority.count("order", status=201) == 1, "ordered, and could not be kept"
    assert fingerprint(server.leaf()) == fingerprint(first)
    assert {path: path.read_bytes() for path in (server.data / "acme/certificates").iterdir()} == kept
    ballast.unlink()
    done = server.renew("--force")
    assert done.returncode == 0, done.stdout + done.stderr
    second = server.leaf()
    assert fingerprint(second) != fingerprint(first)
    server.restart()
    assert fingerprint(server.leaf()) == fingerprint(second)


def test_a_disk_that_fills_while_a_renewal_runs(make_ordering, small_disk):  # noqa: F811
    """CHECKLIST 37: the new pair cannot be written: it is served, that is told, and the old pair on disk is whole."""
    assert small_disk, "this needs the right to mount"
    server = make_ordering({"data_dir": str(small_disk / "data")}).start()
    first = server.wait_trusted()
    folder = server.data / "acme/certificates"
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    with server.authority.held("certificate", done=False) as fault:
        thread = threading.Thread(target=lambda: server.renew("--force"))
        thread.start()
        assert fault.reached.wait(30)
        ballast = fill(small_disk)
    thread.join(60)
    assert not thread.is_alive()
    server.wait_renewed(first)
    assert "could not be saved" in server.log_text()
    assert {path: path.read_bytes() for path in folder.iterdir()} == kept, "the old file is damaged, or a part of the new one is left"
    assert server.call("GET", "/health").status_code == 200
    server.kill()
    ballast.unlink()
    server.start()
    assert fingerprint(server.leaf()) == fingerprint(first)


def test_a_disk_that_fills_while_the_first_order_runs(make_ordering, small_disk):  # noqa: F811
    """CHECKLIST 37: served at once, and not lost: after a restart it is downloaded again, and not ordered a second time."""
    assert small_disk, "this needs the right to mount"
    server = make_ordering({"data_dir": str(small_disk / "data")})
    with server.authority.held("certificate", done=False) as fault:
        server.start()
        assert fault.reached.wait(30)
        ballast = fill(small_disk)
    first = server.wait_trusted()
    server.kill()
    ballast.unlink()
    server.start()
    assert fingerprint(server.wait_trusted()) == fingerprint(first)
    eventually(lambda: list((server.data / "acme/certificates").iterdir()))
    assert server.authority.count("order", status=201) == 1
