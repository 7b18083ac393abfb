"""`kill -9` under load, again and again: what was answered is there."""

import random
import sqlite3
import time

import pytest

from gate import QUICK, merged
from load import Load, verify, verify_rotation

CYCLES = 50
SEED = 20_240_611


def database(server):
    return server.data / "gatehouse.db"


def assert_sound(path) -> None:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


@pytest.mark.timeout(300)
def test_kill_at_random_moments_loses_nothing_that_was_answered(make_server):
    """CHECKLIST 10, 45: nothing acknowledged is lost, nothing revoked or rotated comes back, the file is sound, and the server
    starts again by itself."""
    chance = random.Random(SEED)
    # No grace: a rotated token is refused at once, so that one that comes back is seen.
    server = make_server(merged(QUICK, {"auth": {"refresh_grace": "0s"}, "log": {"level": "warning"}})).start()
    families, answered, uncertain = [], 0, 0
    for cycle in range(CYCLES):
        alive = [family for family in families if not family.ended and not family.uncertain]
        carried = alive[-8:]
        load = Load(server, carried).start()
        time.sleep(chance.uniform(0.15, 0.45))
        server.kill()
        load.end()
        assert not load.failures, (cycle, load.failures)
        assert_sound(database(server))
        begun = time.monotonic()
        server.start()
        assert time.monotonic() - begun < 5
        touched = carried + load.families
        verify(server, touched)
        # Some of what earlier rounds left, too.
        verify(server, chance.sample(families, min(4, len(families))))
        # This ends what it looks at: the others go on.
        judged = touched[::4]
        verify_rotation(server, judged)
        families = [family for family in families + load.families if not any(family is each for each in judged)]
        answered += load.answered
        uncertain += sum(family.uncertain for family in touched)
    verify(server, families)
    verify_rotation(server, families)
    assert answered > CYCLES * 10, f"there was hardly any load: {answered}"
    assert uncertain > 0, "no kill came in the middle of a request"
    assert server.stop() == 0
    assert_sound(database(server))


def test_a_kill_during_the_first_start_is_survived(make_server):
    """CHECKLIST 45: keys and tables are made whole or not at all."""
    chance = random.Random(SEED)
    for _ in range(12):
        server = make_server(QUICK)
        server.spawn()
        time.sleep(chance.uniform(0.0, 0.06))
        server.kill()
        server.start()
        session = server.register()
        assert server.me(session["access_token"]).status_code == 200
        server.kill()
        assert_sound(database(server))


def test_sigterm_under_load_loses_nothing(make_server):
    """A graceful stop answers what it has taken, and refuses the rest."""
    server = make_server(merged(QUICK, {"auth": {"refresh_grace": "0s"}})).start()
    load = Load(server).start()
    time.sleep(1)
    code = server.stop()
    load.end()
    assert code == 0
    server.start()
    verify(server, load.families)
    verify_rotation(server, load.families)
