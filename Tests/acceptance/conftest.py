"""Fixtures: servers that are ended with their test, and whose log is shown when it fails."""

import pytest

from gate import BINARY, QUICK, Gatehouse


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing: run 'make build' first", returncode=3)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"log of {server.url}", server.log_text()[-8000:]))
    return report


def _end(servers):
    for server in servers:
        server.kill()


@pytest.fixture
def make_server(request, tmp_path):
    """Makes servers that are not yet started: `make_server({...settings}, env=…, wrapper=…)`."""
    servers = request.node.servers = []

    def make(settings=None, **more) -> Gatehouse:
        server = Gatehouse(tmp_path / f"server{len(servers)}", settings, **more)
        servers.append(server)
        return server

    yield make
    _end(servers)


@pytest.fixture
def quick(make_server):
    """A server of this test's own, with cheap hashes and limits that are never reached."""
    return make_server(QUICK).start()


@pytest.fixture
def default(make_server):
    """A server with the default limits and cost."""
    return make_server().start()


@pytest.fixture(scope="module")
def _shared(tmp_path_factory):
    server = Gatehouse(tmp_path_factory.mktemp("shared"), QUICK).start()
    yield server
    server.kill()


@pytest.fixture
def shared(_shared, request):
    """Like `quick`, shared by a module's tests: for those that leave nothing behind that another one could see."""
    request.node.servers = [_shared]
    return _shared
