"""WebSockets through two instances: from the door to one of them, and from there to the application."""

import contextlib
import json
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from instances import APPLICATION, DOORS, PLAIN_APPLICATION, Cluster
from others import Asgi
from waiting import eventually


@pytest.fixture(scope="module")
def _cluster(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sockets")
    with contextlib.ExitStack() as stack:
        application = Asgi(folder / "asgi")
        stack.callback(application.close)
        application.start()
        cluster = Cluster(folder, 2, {"database": {"url": postgres.socket_url(postgres.new_database())}}, application.url)
        stack.callback(cluster.close)
        yield cluster.start()


@pytest.fixture
def cluster(_cluster, request):
    request.node.servers = _cluster.members
    return _cluster


def opened(cluster: Cluster, door: str, headers: dict):
    """A WebSocket to the application by one of the doors."""
    port = cluster.nginx.port if door == "nginx" else cluster.members[0].port
    host = PLAIN_APPLICATION if door == "nginx" else APPLICATION
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    return connect(f"ws://{host}/ws", sock=link, additional_headers=headers, open_timeout=10, close_timeout=10, max_size=None)


@pytest.mark.parametrize("door", DOORS)
def test_messages_pass_in_both_directions(cluster, door):
    """Whichever instance it is, it knows who is signed in; messages arrive whole, and so does the end with its code."""
    visitor = cluster.visitor(0)
    session = visitor.register("socket." + door + "@example.com")
    user = session["user"]["id"]
    before = [member.descriptors() for member in cluster.members]
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    with contextlib.ExitStack() as stack:
        # So many that both instances have some of them.
        links = [stack.enter_context(opened(cluster, door, headers)) for _ in range(8)]
        for number, link in enumerate(links):
            assert json.loads(link.recv(10)) == {"user": user, "path": "/ws"}
            for message in (f"hello {number}", b"\x00\xff" * 200_000):
                link.send(message)
                assert link.recv(10) == message
        links[0].send("close")
        with pytest.raises(Exception, match="4001"):
            links[0].recv(10)
    eventually(lambda: all(member.descriptors() <= count + 12 for member, count in zip(cluster.members, before)))


@pytest.mark.parametrize("door", DOORS)
def test_who_is_not_signed_in_gets_none(cluster, door):
    with pytest.raises(InvalidStatus) as refusal:
        opened(cluster, door, {})
    assert refusal.value.response.status_code == 401
