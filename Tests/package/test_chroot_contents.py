"""What is in the package, without installing it."""

import gzip
import json
import os
import pathlib
import re
import subprocess
import tomllib

import pytest

from debian import ROOT
from installation import BINARY
from packages import make, package, version


def _output(*command, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("unpacked")
    _output("dpkg-deb", "--raw-extract", package(), folder)
    return folder


def _field(name: str) -> str:
    return _output("dpkg-deb", "--field", package(), name).strip()


def _page(unpacked: pathlib.Path, name: str) -> str:
    """A manual page as it is read, on one line, since lines are broken anywhere."""
    section = name.rsplit(".", 1)[1]
    shown = _output(
        "man", "--local-file", unpacked / f"usr/share/man/man{section}/{name}.gz", env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    return re.sub(r"\s+", " ", re.sub(r".\x08", "", shown).replace("\N{HYPHEN}", "-").replace("\N{MINUS SIGN}", "-"))


def _commands(command: dict, path=()) -> list[tuple[str, dict]]:
    here = (*path, command["commandName"])
    below = [each for each in command.get("subcommands", []) if each["commandName"] != "help"]
    return [leaf for each in below for leaf in _commands(each, here)] if below else [(" ".join(here), command)]


def test_lintian_has_nothing_to_say():
    """Each override is one that is explained in packaging/debian/gatehouse.lintian-overrides."""
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", package()], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")
    overrides = (ROOT / "packaging/debian/gatehouse.lintian-overrides").read_text().splitlines()
    assert overrides[0].startswith("#") and all(line.startswith(("#", "gatehouse: ")) for line in overrides)


def test_the_same_binary_makes_the_same_package(tmp_path):
    """Elsewhere, at another time, by somebody with other habits."""
    habits = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": str(tmp_path), "USER": "somebody", "DEB_BUILD_OPTIONS": "parallel=1"}
    old = os.umask(0o077)
    try:
        again = make(tmp_path / "again", env=habits)
    finally:
        os.umask(old)
    assert again.name == package().name
    assert again.read_bytes() == package().read_bytes()


def test_its_version_is_that_of_the_program():
    said = json.loads(_output(BINARY, "version", "--json"))["gatehouse"]
    assert version() == said == _field("Version")
    assert package().name == f"gatehouse_{said}_{_output('dpkg', '--print-architecture').strip()}.deb"


def test_dependencies_are_those_that_the_linker_has_seen():
    needed = {entry.split()[0] for entry in _field("Depends").split(", ")}
    assert {"libc6", "libssl3", "zlib1g", "ca-certificates"} <= needed
    assert "libpq5" in _field("Suggests") and "libpq5" not in needed
    assert re.search(r"sqlite3 \(= .+\)", _field("Static-Built-Using"))


def test_the_configuration_explains_every_key(unpacked, tmp_path):
    """It is the program's own reference, with nothing in force but the data folder of the package."""
    packaged = (unpacked / "etc/gatehouse/gatehouse.toml").read_text()
    assert tomllib.loads(packaged) == {
        "data_dir": "/var/lib/gatehouse", **{name: table for name, table in tomllib.loads(packaged).items() if name != "data_dir"}}
    assert not _values(tomllib.loads(packaged)) - {"/var/lib/gatehouse"}
    for entry in json.loads(_output(BINARY, "check", "--reference", "--json"))["settings"]:
        assert f"\n# {entry['key'].rpartition('.')[2]} = " in packaged or entry["key"] == "data_dir", entry["key"]
    assert "/etc/gatehouse/gatehouse.toml" in (unpacked / "DEBIAN/conffiles").read_text()
    _output(BINARY, "check", "--config", unpacked / "etc/gatehouse/gatehouse.toml", cwd=tmp_path)


def _values(table: dict) -> set:
    return {each for value in table.values() for each in (_values(value) if isinstance(value, dict) else {value})}


def test_its_three_lines_are_a_site(unpacked, tmp_path):
    """What its head says to write is what makes a site of it."""
    packaged = (unpacked / "etc/gatehouse/gatehouse.toml").read_text()
    example = "".join(line[6:] + "\n" for line in packaged.splitlines() if line.startswith("#     "))
    (tmp_path / "site.toml").write_text(example)
    settings = json.loads(_output(BINARY, "check", "--config", "site.toml", "--json", cwd=tmp_path))
    assert settings["settings"]["tls.mode"]["value"] == "acme"
    assert settings["sites"][0]["upstream"]["value"] == ["http://127.0.0.1:3000"]


def test_the_manual_has_every_command_and_option(unpacked):
    page = _page(unpacked, "gatehouse.8")
    leaves = _commands(json.loads(_output(BINARY, "--experimental-dump-help"))["command"])
    assert len(leaves) > 15
    for path, command in leaves:
        assert path in page, path
        for argument in command.get("arguments", []):
            for name in argument.get("names", []):
                assert ("--" if name["kind"] == "long" else "-") + name["name"] in page, (path, name)
        assert " ".join(command["abstract"].split()) in page, path


def test_the_manual_has_every_setting(unpacked):
    page = _page(unpacked, "gatehouse.toml.5")
    table = json.loads(_output(BINARY, "check", "--reference", "--json"))
    assert len(table["settings"]) > 60 and len(table["site"]) > 30
    for entry in table["settings"]:
        assert f" {entry['key'].rpartition('.')[2]} = {entry['type']} " in page, entry["key"]
        assert all(variable in page for variable in entry["variables"]), entry["key"]
    for entry in table["settings"] + table["site"] + table["policy"]:
        assert " ".join(entry["documentation"].split()) in page, entry["key"]


@pytest.mark.parametrize("name", ["gatehouse.8", "gatehouse.toml.5"])
def test_the_manual_is_set_without_a_warning(unpacked, name):
    section = name.rsplit(".", 1)[1]
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", unpacked / f"usr/share/man/man{section}/{name}.gz"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
        env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes_commands(unpacked):
    script = """
        source "$1"; COMP_WORDS=(gatehouse user l); COMP_CWORD=2; COMP_LINE='gatehouse user l'; COMP_POINT=${#COMP_LINE}
        _gatehouse gatehouse l user; printf '%s\\n' "${COMPREPLY[@]}"
    """
    file = unpacked / "usr/share/bash-completion/completions/gatehouse"
    assert _output("bash", "-ec", script, "bash", file).split() == ["list"]


@pytest.mark.parametrize("shell, file", [
    ("zsh", "usr/share/zsh/vendor-completions/_gatehouse"), ("fish", "usr/share/fish/vendor_completions.d/gatehouse.fish")])
def test_completions_are_scripts_of_their_shell(unpacked, shell, file):
    _output(shell, "-n", unpacked / file)
    assert "set-password" in (unpacked / file).read_text()


def test_the_licences_of_all_that_is_linked_are_named(unpacked):
    """Each package of the build has a paragraph in the copyright file, and its notice, where it has one, is passed on."""
    documents = unpacked / "usr/share/doc/gatehouse"
    copyright = (documents / "copyright").read_text()
    notice = gzip.decompress((documents / "NOTICE.gz").read_bytes()).decode()
    pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
    assert len(pins) > 5
    for pin in pins:
        assert f"{pin['identity']}/*" in copyright and f"  {pin['identity']} " in notice, pin["identity"]
        if (ROOT / ".build/checkouts" / pin["identity"] / "NOTICE.txt").exists():
            assert f"\n=== {pin['identity']}\n" in notice
    for linked in ("swift-runtime/*", "swift-foundation/*", "sqlite3/*", "libxcrypt/*", "libstdc++/*"):
        assert linked in copyright
