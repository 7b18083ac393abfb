"""DEPLOYMENT.md: what it says to write into the configuration, and how it is watched. Its commands are run by Tests/package."""

import json
import re
import subprocess
import tomllib

import pytest
import requests

import guide
from certificates import Root
from gate import BINARY, free_port
from test_operating import get_unix
from waiting import eventually

TOML = guide.blocks("toml")


@pytest.mark.parametrize("block", TOML, ids=lambda block: f"line {block.line}")
def test_every_configuration_is_accepted(tmp_path, block):
    """As `gatehouse check` sees it; files that it names are there."""
    text = block.text
    for place in re.findall(r'"(/etc/[^"]+\.(?:pem|key))"', text):
        certificate, key = Root(tmp_path, "A").write("server", ["app.example.com"])
        text = text.replace(place, str(key if place.endswith(".key") else certificate))
    for folder in re.findall(r'"(/srv/[^"]+)"', text):
        (tmp_path / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        text = text.replace(folder, str(tmp_path / folder.lstrip("/")))
    named = tomllib.loads(text)
    data = "" if "data_dir" in named else f'data_dir = "{tmp_path / "data"}"\n'
    config = tmp_path / "gatehouse.toml"
    config.write_text(data + text)
    done = subprocess.run([BINARY, "check", "--config", config], capture_output=True, text=True, timeout=20, env={})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("setting", guide.inline_settings())
def test_every_setting_in_the_text_is_accepted(tmp_path, setting):
    """Written as `section.key = value`, for a site with HTTPS."""
    config = tmp_path / "gatehouse.toml"
    config.write_text(f'{setting}\ndata_dir = "{tmp_path / "data"}"\npublic_url = "https://app.example.com"\nacme.email = "a@example.com"\n')
    done = subprocess.run([BINARY, "check", "--config", config], capture_output=True, text=True, timeout=20, env={})
    assert done.returncode == 0, done.stderr


def test_links_within_the_page_lead_somewhere():
    text = guide.text()
    anchors = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        anchors.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    assert {link for link in re.findall(r"\]\(#([^)]+)\)", text)} <= anchors


def _tagged(tag: str) -> str:
    (block,) = [block for block in guide.blocks("yaml") if tag in block.tags]
    return block.text


def test_prometheus_scrapes_and_its_rules_can_fire(make_sites, recorder, tmp_path):
    """The configuration and the alerts as they stand there, in a Prometheus: each looks at metrics and labels that there are."""
    metrics = free_port()
    server = make_sites([{"upstream": recorder.url, "access": "public"}], {"metrics": {"address": f"127.0.0.1:{metrics}"}}).start()
    with server.client("https") as client:
        assert client.get("/x").status == 200
    assert server.run("backup").returncode == 0
    (tmp_path / "alerts.yml").write_text(_tagged("alerts"))
    own = free_port()
    config = _tagged("prometheus").replace("127.0.0.1:9090", f"127.0.0.1:{metrics}")
    (tmp_path / "prometheus.yml").write_text(
        "global:\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n  evaluation_interval: 200ms\nrule_files: [alerts.yml]\n" + config)
    process = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{own}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(tmp_path / "log", "wb"))

    def asked(path: str, **query) -> dict:
        try:
            return requests.get(f"http://127.0.0.1:{own}/api/v1/{path}", params=query, timeout=5).json()["data"]
        except (requests.RequestException, KeyError):
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            return {}

    try:
        eventually(lambda: any(each["value"][1] == "1" for each in asked("query", query="up").get("result", [])), 20)
        rules = eventually(lambda: all(rule["health"] == "ok" for rule in _rules(asked)) and _rules(asked), 20)
        assert len(rules) == _tagged("alerts").count("- alert:") >= 8
        for rule in rules:
            watched, sign, bound = re.fullmatch(r"(.*) (==|<|>) ([\d.* ]+)", rule["query"].replace("\n", " ").strip(), re.S).groups()
            found = eventually(lambda: asked("query", query=watched).get("result"), 20)
            assert found, f"{rule['name']} looks at nothing: {watched}"
            assert rule["state"] == "inactive", rule
            # What its words are filled in with is there.
            labels = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
            assert labels <= set(found[0]["metric"]), (rule["name"], labels, found[0]["metric"])
    finally:
        process.kill()
        process.wait()


def _rules(asked) -> list[dict]:
    return [rule for group in asked("rules").get("groups", []) for rule in group["rules"]]


def test_every_metric_in_the_page_exists(make_sites, recorder):
    """Those that it names in its text, in tables and in rules."""
    server = make_sites([{"upstream": recorder.url, "access": "public"}]).start()
    with server.client("https") as client:
        assert client.get("/x").status == 200
    assert server.run("backup").returncode == 0
    status, told = get_unix(server.data / "admin.sock", "/metrics")
    assert status == 200
    there = set(re.findall(r"^# TYPE (\w+)", told, re.M))
    # What only Postgres and Redis have: by the sources.
    for source in (guide.ROOT / "Sources").rglob("*.swift"):
        there |= set(re.findall(r'"(gatehouse_(?:database|redis|limit_stand_in)_\w+)"', source.read_text()))
    named = {name.removesuffix("_bucket") for name in re.findall(r"\b(?:gatehouse|process)_[a-z_]+", guide.text())}
    assert len(named) > 8 and named <= there, named - there
