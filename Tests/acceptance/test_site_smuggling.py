"""CHECKLIST 33 through the gateway: each attempt beside what nginx and Caddy forward of it."""

import concurrent.futures
from collections.abc import Callable

import pytest

from certificates import Root
from gate import free_port
from others import Caddy, Nginx
from recording import Recorder
from sites import HOST, SiteGatehouse
from smuggling import ATTACKS, EITHER, FORWARDED, REFUSED, STREAM_ATTACKS, Outcome, answering, attacked, attacked_streams

# None of which blames the application.
REFUSALS = {400, 405, 413, 414, 417, 421, 426, 431, 501, 505}
NGINX = """
    server {{
        listen 127.0.0.1:{{port}};
        listen 127.0.0.1:{secure} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass {upstream};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
"""
CADDY = """
http://127.0.0.1:{{port}}, http://app.test:{{port}}, http://other.test:{{port}} {{
    bind 127.0.0.1
    reverse_proxy {upstream}
}}
https://app.test:{secure} {{
    bind 127.0.0.1
    tls {certificate} {key}
    reverse_proxy {upstream}
}}
"""


class Observations:
    """What came of every attack behind one proxy."""

    def __init__(self, name: str, start: Callable[[Recorder], tuple[int, int]]):
        self.name = name
        self.recorder = Recorder(answering)
        plain, secure = start(self.recorder)
        self.outcomes = {attack: attacked(plain, sent, self.recorder) for attack, (sent, _) in ATTACKS.items()}
        self.streams = {attack: attacked_streams(secure, HOST, sent, self.recorder) for attack, (sent, _) in STREAM_ATTACKS.items()}


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """Gatehouse, nginx and Caddy, attacked at the same time, each in front of an application of its own."""
    started = []
    certificate, key = Root(tmp_path_factory.mktemp("pki")).write("app", [HOST, "other.test"])

    def gatehouse(recorder):
        server = SiteGatehouse(tmp_path_factory.mktemp("gatehouse"), [{"upstream": recorder.url, "access": "public"}])
        started.append(server)
        server.start()
        return server.port, server.https_port

    def peer(kind, text):
        def start(recorder):
            secure = free_port()
            made = kind(tmp_path_factory.mktemp(kind.name), text.format(secure=secure, certificate=certificate, key=key, upstream=recorder.url))
            started.append(made)
            made.start()
            return made.port, secure

        return start

    starts = {"Gatehouse": gatehouse, "nginx": peer(Nginx, NGINX), "Caddy": peer(Caddy, CADDY)}
    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            made = list(pool.map(lambda name: Observations(name, starts[name]), starts))
        yield {each.name: each for each in made}
    finally:
        for each in started:
            (each.kill if isinstance(each, SiteGatehouse) else each.close)()


def judged(outcome: Outcome, expected: str) -> None:
    assert not outcome.is_smuggled, outcome
    assert expected == EITHER or outcome.kind == expected, outcome
    if outcome.kind == REFUSED:
        # Answered with an error or not at all, and what follows is not taken for a request.
        assert set(outcome.statuses) <= REFUSALS and len(outcome.statuses) <= 1, outcome
    assert len(outcome.statuses) <= max(1, len(outcome.forwarded) + 1), "more answers than requests"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attempt_over_http_1_1(observed, attack):
    judged(observed["Gatehouse"].outcomes[attack], ATTACKS[attack][1])


@pytest.mark.parametrize("attack", STREAM_ATTACKS)
def test_an_attempt_over_http_2(observed, attack):
    judged(observed["Gatehouse"].streams[attack], STREAM_ATTACKS[attack][1])


def lines(observed) -> list[tuple[str, Outcome, Outcome, Outcome]]:
    names = ("Gatehouse", "nginx", "Caddy")
    return [(attack, *(getattr(observed[name], kind)[attack] for name in names)) for kind in ("outcomes", "streams")
            for attack in (ATTACKS if kind == "outcomes" else STREAM_ATTACKS)]


def test_nothing_passes_that_both_others_refuse(observed, record_property):
    """And the others were really asked: each forwards some of what Gatehouse refuses."""
    table = [f"{attack}: " + ", ".join(f"{name} {'SMUGGLED' if each.is_smuggled else each.kind}" for name, each in zip(observed, outcomes))
             for attack, *outcomes in lines(observed)]
    print("\n".join(table))
    # What is complete as declared goes on at once, or not, as the bytes come: nothing of what follows ever does.
    timely = {"a length that is short"}
    laxer = [attack for attack, ours, nginx, caddy in lines(observed)
             if attack not in timely and ours.kind == FORWARDED and nginx.kind == caddy.kind == REFUSED]
    assert laxer == [], "laxer than both"
    for name in ("nginx", "Caddy"):
        assert any(theirs[name].kind == FORWARDED for _, *each in lines(observed) for theirs in [dict(zip(observed, each))]), name
    record_property("attempts", len(table))
