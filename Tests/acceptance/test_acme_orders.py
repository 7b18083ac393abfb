"""Certificates from an authority: orders of every kind, against a hostile Pebble."""

import os
import random
import ssl

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certificates import Root, common_name, names_of, pem_of
from clock import MovedClock
from gate import free_port
from ordering import NAME, settle
from secure import SecureConnection, context, get, s_client
from waiting import eventually


def test_a_certificate_comes_by_itself(make_ordering, tmp_path):
    """T2: public_url and acme.email, and a minute later the site has a trusted certificate."""
    server = make_ordering()
    server.authority.shuffled = random.Random(3)
    server.start()
    leaf = server.wait_trusted()
    assert names_of(leaf) == {NAME} and isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    # The whole chain is served: nothing but the root has to be known.
    root = tmp_path / "issuing-root.pem"
    root.write_bytes(pem_of(server.authority.pebble.issuing_root()))
    for protocol in ("http/1.1", "h2"):
        with SecureConnection(server.https_port, NAME, context(root, (protocol,))) as connection:
            assert connection.socket.selected_alpn_protocol() == protocol
            if protocol == "http/1.1":
                connection.send(get())
                assert connection.answer().status == 200
    told = server.status()
    assert told["names"] == [NAME] and told["source"] == "acme" and told["status"] == "valid" and told["last_problem"] is None
    assert told["authority"] == server.authority.directory and "Pebble" in told["issuer"] and told["next_action_at"]
    assert server.authority.count("order", status=201) == 1 and server.authority.count("account", status=201) == 1
    account = server.authority.all("account", status=201)[0].payload
    assert account["termsOfServiceAgreed"] is True and account["contact"] == ["mailto:operator@example.com"]


def test_without_a_capability(make_ordering):
    """As a service's own user: SOL_SOCKET's option 1 is not TCP_NODELAY but SO_DEBUG, which is root's. Where it was set, no connection came
    about in either direction unless the server ran as root."""
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    server = make_ordering(wrapper=bare).start()
    server.wait_trusted()
    assert server.challenge("none").status_code == 308


def test_until_it_comes_a_self_signed_one_is_served(make_ordering):
    """HTTPS answers from the first moment; the log says what it is answering with."""
    server = make_ordering()
    with server.authority.held("order", done=False) as fault:
        server.start()
        assert fault.reached.wait(30)
        leaf = server.leaf()
        assert leaf.issuer == leaf.subject and NAME in names_of(leaf)
        assert "self-signed" in server.log_text()
        assert server.status()["status"] == "missing" and server.status()["busy"] is True
        assert server.call("GET", "/api/v1/health").json()["status"] in ("degraded", "healthy")
    server.wait_trusted()


def test_several_names(make_ordering):
    names = [NAME, "www.gate.test", "api.gate.test", "xn--bcher-kva.test"]
    server = make_ordering({"acme": {"domains": names, "certificates": "one"}}).start()
    assert names_of(server.wait_trusted()) == set(names)
    for name in names:
        assert server.is_trusted(name)
    assert server.authority.count("order", status=201) == 1


def test_a_certificate_for_each_name(make_ordering):
    """A name that the authority refuses keeps the others neither from their certificates nor from being told apart."""
    names = [NAME, "www.gate.test", "blocked.test"]
    server = make_ordering({"acme": {"domains": names}}, pebble={"domainBlocklist": ["blocked.test"]}).start()
    for name in names[:2]:
        eventually(lambda: names_of(server.leaf(name)) == {name} and server.is_trusted(name), 30)
    certificates = {tuple(each["names"]): each for each in server.run_json("cert", "status")["certificates"]}
    assert [certificates[(name,)]["status"] for name in names] == ["valid", "valid", "missing"]
    assert server.call("GET", "/api/v1/health").json()["status"] == "degraded"
    assert server.call("GET", "/api/v1/health/ready").status_code == 200


def test_tls_alpn_with_port_80_closed(make_ordering):
    """RFC 8737: proved on the HTTPS port alone; acme-tls/1 is spoken for that and for nobody else."""
    server = make_ordering({"acme": {"challenges": ["tls-alpn-01"], "domains": [NAME, "www.gate.test"], "certificates": "one"}})
    # Nobody listens where HTTP-01 would look.
    elsewhere = free_port()
    server.settings["listen"]["http"] = [f"127.0.0.1:{elsewhere}"]
    server.port, server.url = elsewhere, f"http://127.0.0.1:{elsewhere}"
    server.write_config()
    server.start()
    assert names_of(server.wait_trusted()) == {NAME, "www.gate.test"}
    told = s_client(server.https_port, "-alpn", "acme-tls/1")
    assert "alert" in told and "Cipher is (NONE)" in told, told


def test_the_other_challenge_where_the_first_fails(make_ordering, tmp_path):
    """HTTP-01 is preferred and port 80 is closed from outside: a minute later TLS-ALPN-01 is tried, without anyone being asked."""
    clock = MovedClock(tmp_path)
    server = make_ordering({"acme": {"challenges": ["http-01", "tls-alpn-01"]}}, env=clock.env)
    elsewhere = free_port()
    server.settings["listen"]["http"] = [f"127.0.0.1:{elsewhere}"]
    server.port, server.url = elsewhere, f"http://127.0.0.1:{elsewhere}"
    server.write_config()
    server.start()
    assert "port 80" in server.wait_problem()["message"]
    assert server.stop() == 0
    clock.set(70)
    server.start()
    assert names_of(server.wait_trusted()) == {NAME}


def test_a_validator_that_takes_its_time(make_ordering):
    """Random waits of up to a few seconds before each validation: the order is polled, with the authority's own Retry-After."""
    server = make_ordering(environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"}).start()
    server.wait_trusted(60)
    # Nobody asks ten times a second.
    polls = [each.at for each in server.authority.all("authorization") if each.status == 200]
    assert len(polls) < 30


@pytest.mark.parametrize("key_type", ["rsa2048", "rsa3072"])
def test_rsa(make_ordering, key_type):
    server = make_ordering({"acme": {"key_type": key_type}}).start()
    key = server.wait_trusted().public_key()
    assert isinstance(key, rsa.RSAPublicKey) and key.key_size == int(key_type.removeprefix("rsa"))
    with SecureConnection(server.https_port, tls=context(version=ssl.TLSVersion.TLSv1_2)) as connection:
        connection.send(get())
        assert connection.answer().status == 200


def chain_of(server) -> list[str]:
    """Common names from the leaf's issuer to the last one served."""
    lines = s_client(server.https_port, "-showcerts").splitlines()
    return [line.split("CN = ")[1].strip() for line in lines if line.strip().startswith("i:")]


@pytest.mark.parametrize("number", [0, 1])
def test_the_preferred_chain(make_ordering, number):
    """Of the chains that the authority offers by Link, the one whose root is named; the default where none is."""
    server = make_ordering()
    wanted = common_name(server.authority.pebble.issuing_root(number).subject)
    server.settings["acme"]["preferred_chain"] = wanted
    server.write_config()
    server.start()
    server.wait_trusted()
    assert chain_of(server)[-1] == wanted


def test_a_preferred_chain_that_is_not_offered(make_ordering):
    """A certificate by the default chain is better than none."""
    server = make_ordering({"acme": {"preferred_chain": "No Such Root"}}).start()
    server.wait_trusted()


EAB = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}}


def test_external_account_binding(make_ordering):
    """RFC 8555 §7.3.4."""
    key = EAB["externalAccountMACKeys"]["kid-1"]
    server = make_ordering({"acme": {"eab_key_id": "kid-1", "eab_hmac_key": key}}, pebble=EAB).start()
    server.wait_trusted()
    assert key not in server.log_text()
    assert server.authority.all("account", status=201)[0].payload["externalAccountBinding"]


def test_a_missing_binding_is_told(make_ordering):
    """CHECKLIST 39: what fails is told in words the operator can act on, with the authority's own problem document."""
    server = make_ordering(pebble=EAB).start()
    problem = server.wait_problem()
    assert problem["document"]["type"] == "urn:ietf:params:acme:error:externalAccountRequired"
    assert "eab" in problem["message"].lower() or "external account" in problem["message"].lower()
    assert server.authority.count("order") == 0


def test_a_profile(make_ordering):
    """The authority's profiles are in its directory; the one that is configured is asked for."""
    server = make_ordering({"acme": {"profile": "shortlived"}}, profiles={"shortlived": "six days", "classic": "ninety days"}).start()
    server.wait_trusted()
    assert server.authority.all("order", status=201)[0].payload["profile"] == "shortlived"


def test_an_unknown_profile_is_told(make_ordering):
    server = make_ordering({"acme": {"profile": "shortlive"}}, profiles={"shortlived": "six days"}).start()
    problem = server.wait_problem()
    assert "shortlive" in problem["message"] and server.authority.count("order") == 0


def test_challenges_for_own_tokens_only(make_ordering):
    """CHECKLIST 38: the challenge answers on :80 before redirect, sign-in, limits and proxy, for its own tokens only."""
    server = make_ordering({"limits": {"policies": {"api": {"limit": 1, "window": "60s"}}}})
    with server.authority.held("challenge", done=False) as fault:
        server.start()
        assert fault.reached.wait(30)
        (authorization,) = [each for each in server.authority.answers if each.get("challenges")][-1:]
        token = next(each["token"] for each in authorization["challenges"] if each["type"] == "http-01")
        for _ in range(5):
            answer = server.challenge(token)
            assert answer.status_code == 200 and answer.text.startswith(token + "."), answer.text
            assert answer.headers["Content-Type"].split(";")[0] == "application/octet-stream"
        # Any other token passes on, to where everything goes that is no challenge of ours.
        for other in (token + "x", token[:-1], token.lower(), "x" * 43, "", "../../../../etc/passwd", f"{token}/", f"%2e/{token}"):
            answer = server.challenge(other)
            assert answer.status_code in (308, 400, 404) and token + "." not in answer.text, (other, answer.status_code)
        assert server.call("POST", f"/.well-known/acme-challenge/{token}", headers={"Host": NAME}).status_code in (308, 404, 405)
    server.wait_trusted()
    eventually(lambda: server.challenge(token).status_code in (308, 404))
    # Everything else on that port goes to HTTPS.
    assert server.call("GET", "/api/v1/auth/me", headers={"Host": NAME}).status_code == 308


def test_account_and_certificate_are_reused(make_ordering):
    """CHECKLIST 37: after a restart, and after reinstalling on the same data: nothing is ordered, nobody is registered."""
    server = make_ordering().start()
    leaf = server.wait_trusted()
    for path in server.acme_files():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (server.data / "acme").stat().st_mode & 0o777 == 0o700
    server.restart()
    assert server.leaf() == leaf, "from the first moment"
    server.kill()
    server.config.unlink()
    server.write_config()
    server.start()
    settle()
    assert server.leaf() == leaf
    assert server.authority.count("order", status=201) == 1 and server.authority.count("account", status=201) == 1


def test_a_new_name_is_ordered_with_the_same_account(make_ordering):
    server = make_ordering().start()
    server.wait_trusted()
    assert server.stop() == 0
    server.settings["acme"]["domains"] = [NAME, "new.gate.test"]
    server.write_config()
    server.start()
    assert server.is_trusted(NAME), "the old one is served meanwhile"
    eventually(lambda: "new.gate.test" in names_of(server.leaf("new.gate.test")) and server.is_trusted("new.gate.test"), 30)
    assert server.authority.count("account", status=201) == 1


def test_the_authoritys_own_certificate_is_verified(make_ordering, tmp_path):
    """With another root than the authority's own: nothing is asked of it, and the log says why."""
    server = make_ordering({"acme": {"ca_file": str(Root(tmp_path / "another").file)}}).start()
    problem = server.wait_problem()
    assert "certificate" in problem["message"].lower() and "localhost" in problem["message"]
    assert server.authority.seen == []


def test_no_key_in_a_log(make_ordering):
    """CHECKLIST 43: at the most talkative level, with a whole order and a renewal."""
    server = make_ordering({"log": {"level": "trace"}}).start()
    server.wait_trusted()
    text = server.log_text()
    assert "PRIVATE KEY" not in text
    for path in server.acme_files():
        for line in path.read_text().splitlines():
            if len(line) == 64 and "BEGIN" not in line:
                assert line not in text


def test_challenges_survive_many_requests_in_plain(make_ordering):
    """The redirect and health go on while an order is under way."""
    server = make_ordering()
    with server.authority.held("finalize", done=False) as fault:
        server.start()
        assert fault.reached.wait(30)
        assert requests.get(server.url + "/health", timeout=5).status_code == 200
        assert server.call("GET", "/x", headers={"Host": NAME}).headers["Location"] == f"{server.public_url}/x"
    server.wait_trusted()
