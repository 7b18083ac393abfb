"""Secrets in the database that instances share, sealed under their cluster key; and what runs on a schedule runs once."""

import base64
import json
import os
import threading
import time

import pytest

from gate import QUICK, merged
from instances import introduce

ISSUER = {"auth": {"issuer": "https://gate.test", "audience": "https://gate.test"}, "log": {"level": "debug"}}


def on(url: str) -> dict:
    return merged(QUICK, ISSUER, {"database": {"url": url}})


def key_of(token: str) -> str:
    """The `kid` of an access token."""
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


@pytest.fixture
def pair(make_server, postgres):
    """Two instances on one database, the second with a copy of the cluster key and nothing else."""
    url = postgres.url(postgres.new_database())
    one, other = make_server(on(url)).start(), make_server(on(url))
    introduce(one, other)
    return one, other.start()


def test_a_rotation_on_one_instance_is_taken_by_the_other(pair):
    """Whatever was made with the old keys or is made with the new ones is good on both at every moment, without a restart."""
    one, other = pair
    assert not (one.data / "secrets.toml").exists() and (one.data / "cluster.key").stat().st_mode & 0o777 == 0o600
    before = one.register()
    old = key_of(before["access_token"])
    assert "a further instance needs a copy of this file" in one.run("doctor").stdout
    refused, made, stop = [], {one: [], other: []}, threading.Event()

    def work(maker, taker):
        while not stop.is_set():
            session = maker.register(maker.address(f"at{maker.port}-"))
            made[maker].append(key_of(session["access_token"]))
            for token in (session["access_token"], before["access_token"]):
                if (status := taker.me(token).status_code) != 200:
                    refused.append((maker.url, status))
            if taker.refresh(session["refresh_token"]).status_code != 200:
                refused.append((maker.url, "refresh"))

    working = [threading.Thread(target=work, args=each) for each in ((one, other), (other, one))]
    for each in working:
        each.start()
    try:
        said = one.run("secret", "rotate")
        assert said.returncode == 0 and "on every instance" in said.stdout, said
        deadline = time.monotonic() + 10
        while not all(keys and keys[-1] != old for keys in made.values()):
            assert time.monotonic() < deadline, made
            time.sleep(0.02)
    finally:
        stop.set()
        for each in working:
            each.join()
    assert not refused, refused
    assert len({keys[-1] for keys in made.values()}) == 1, "both sign with the same new key"
    assert other.refresh(before["refresh_token"]).status_code == 200
    # What they share outlives them, and the second may rotate as well.
    assert other.run("secret", "rotate").returncode == 0
    for server in pair:
        server.restart()
    assert one.me(before["access_token"]).status_code == 200
    # Expired rows were deleted by one of the two.
    done = [sum("Expired rows were deleted" in line for line in server.log_text().splitlines()) for server in pair]
    left = [sum("Another instance deletes expired rows" in line for line in server.log_text().splitlines()) for server in pair]
    assert sum(done) == 1 and sum(left) == 3, (done, left)


def test_an_instance_without_the_cluster_key_does_not_start(pair, make_server, postgres):
    """Nor with another's; it says which file to copy. Given by the environment it needs no file."""
    one, _ = pair
    key = (one.data / "cluster.key").read_text().strip()
    stranger = make_server(on(one.settings["database"]["url"]))
    stranger.data.mkdir(mode=0o700)

    def refused(*words: str) -> None:
        stranger.spawn()
        assert stranger.wait_exit(10) == 78
        last = stranger.log_text().splitlines()[-1]
        assert all(word in last for word in ("cluster.key", *words)), last
        assert key not in stranger.log_text()

    refused("is missing", "copy cluster.key (mode 0600) from the data folder of an instance")
    (stranger.data / "cluster.key").write_text(base64.b64encode(os.urandom(32)).decode())
    os.chmod(stranger.data / "cluster.key", 0o600)
    refused("is not the cluster key of this database's instances")
    (stranger.data / "cluster.key").unlink()

    stranger.settings["auth"]["issuer"] = "https://elsewhere.test"
    stranger.write_config()
    stranger.env = {"GATEHOUSE_DATABASE_CLUSTER_KEY": key}
    stranger.start()
    assert not (stranger.data / "cluster.key").exists()
    warned = [line for line in stranger.log_text().splitlines() if "auth.issuer" in line]
    assert len(warned) == 1 and "https://gate.test" in warned[0] and "https://elsewhere.test" in warned[0]
    shown = stranger.run("check")
    assert shown.returncode == 0 and key not in shown.stdout + shown.stderr
