"""Fixtures: servers that are ended with their test, and whose log is shown when it fails."""

import pytest

from authority import Authority
from gate import BINARY, QUICK, Gatehouse, merged
from ordering import OrderingGatehouse, ports
from pebble import Pebble
from postgres import Postgres
from recording import Recorder
from secure import SecureGatehouse
from sites import PROTOCOLS, SiteGatehouse


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


def pytest_generate_tests(metafunc):
    """A module's tests run once on each of its `DATABASES`."""
    if databases := getattr(metafunc.module, "DATABASES", None):
        if "database" in metafunc.fixturenames:
            metafunc.parametrize("database", databases, indirect=True, scope="module")


@pytest.fixture(scope="session")
def postgres():
    """One server for all tests that do it no harm, with a database for each Gatehouse."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def own_postgres():
    """One that a test may kill."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="module")
def database(request):
    """Makes the settings of a new database of the kind in turn."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return dict
    server = request.getfixturevalue("postgres")
    return lambda: {"database": {"url": server.socket_url(server.new_database())}}


@pytest.fixture
def make_server(request, tmp_path, database):
    """Makes servers that are not yet started: `make_server({...settings}, env=…, wrapper=…)`."""
    servers = request.node.servers = []

    def make(settings=None, **more) -> Gatehouse:
        server = Gatehouse(tmp_path / f"server{len(servers)}", merged(database(), settings or {}), **more)
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
def _shared(tmp_path_factory, database):
    server = Gatehouse(tmp_path_factory.mktemp("shared"), merged(database(), QUICK)).start()
    yield server
    server.kill()


@pytest.fixture
def shared(_shared, request):
    """Like `quick`, shared by a module's tests: for those that leave nothing behind that another one could see."""
    request.node.servers = [_shared]
    return _shared


@pytest.fixture(scope="module")
def application():
    """One that keeps what comes to it, and agrees to everything."""
    made = Recorder()
    yield made
    made.close()


@pytest.fixture
def make_authority(tmp_path):
    """Starts authorities, each in front of a Pebble of its own: `make_authority(http_port, tls_port, environment, …)`."""
    made = []

    def make(http_port, tls_port, environment=None, renewal=True, profiles=None, **settings) -> Authority:
        folder = tmp_path / f"authority{len(made)}"
        pebble = Pebble(folder, http_port, tls_port, environment, **settings)
        made.append(pebble)
        pebble.start()
        authority = Authority(folder, pebble, renewal, profiles)
        made.append(authority)
        return authority

    yield make
    for each in reversed(made):
        each.close()


@pytest.fixture
def make_secure(request, tmp_path):
    """Makes servers with HTTPS, not yet started: `make_secure({...settings}, further={...})`."""
    servers = request.node.servers = []

    def make(settings=None, **more) -> SecureGatehouse:
        server = SecureGatehouse(tmp_path / f"secure{len(servers)}", settings, **more)
        servers.append(server)
        return server

    yield make
    _end(servers)


@pytest.fixture(scope="module")
def make_module_secure(tmp_path_factory):
    """The same, for servers that a module's tests share."""
    servers = []

    def make(settings=None, **more) -> SecureGatehouse:
        servers.append(SecureGatehouse(tmp_path_factory.mktemp("secure"), settings, **more))
        return servers[-1]

    yield make
    _end(servers)


@pytest.fixture
def make_ordering(request, tmp_path, make_authority):
    """Makes servers with an authority, not yet started: `make_ordering({...settings}, environment={…Pebble's}, …)`.

    What the authority counted against the RFCs fails the test at its end."""
    servers = request.node.servers = []

    def make(settings=None, authority=None, at=None, environment=None, renewal=True, profiles=None, pebble=None, **more) -> OrderingGatehouse:
        at = at or ports()
        authority = authority or make_authority(*at, environment, renewal, profiles, **(pebble or {}))
        server = OrderingGatehouse(tmp_path / f"ordering{len(servers)}", at, authority, settings, **more)
        servers.append(server)
        return server

    yield make
    _end(servers)
    violations = [each for server in servers for each in server.authority.violations]
    assert violations == [], "what the RFCs forbid was done"


@pytest.fixture
def make_sites(request, tmp_path):
    """Makes servers with sites, not yet started: `make_sites([{…site}, …], {...settings})`."""
    servers = request.node.servers = []

    def make(sites, settings=None, **more) -> SiteGatehouse:
        server = SiteGatehouse(tmp_path / f"sites{len(servers)}", sites, settings, **more)
        servers.append(server)
        return server

    yield make
    _end(servers)


@pytest.fixture(scope="module")
def make_module_sites(tmp_path_factory):
    """The same, for servers that a module's tests share."""
    servers = []

    def make(sites, settings=None, **more) -> SiteGatehouse:
        servers.append(SiteGatehouse(tmp_path_factory.mktemp("sites"), sites, settings, **more))
        return servers[-1]

    yield make
    _end(servers)


@pytest.fixture
def recorder():
    """An application that keeps what it received, and agrees to everything until the test says otherwise."""
    made = Recorder()
    yield made
    made.close()


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return request.param
