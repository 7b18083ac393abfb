"""The machines themselves: what the other tests here stand on."""

import pathlib
import socket

import pytest


def _mounts() -> str:
    return pathlib.Path("/proc/self/mounts").read_text()


def test_a_copy_is_debian_12_and_private(make_machine):
    """What is written in one machine is in no other, and nothing is mounted outside."""
    before = _mounts()
    first, second = make_machine(), make_machine()
    assert "VERSION_CODENAME=bookworm" in first.run("cat", "/etc/os-release").stdout
    first.path("/etc/mark").write_text("here")
    assert first.run("cat", "/etc/mark").stdout == "here"
    assert second.run("test", "-e", "/etc/mark", check=False).returncode == 1
    assert _mounts() == before


def test_nothing_is_left_of_a_machine(make_machine):
    machine = make_machine()
    machine.boot()
    sleeper = machine.start("sleep", "1000")
    pids = [machine.pid, machine._init, machine._process.pid]
    machine.close()
    assert sleeper.wait(10) != 0
    assert [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()] == []
    assert not machine.console.exists()


def test_a_booted_machine_has_a_network_of_its_own(make_machine):
    """A thread of the test reaches its loopback, and nothing else; afterwards it is back in its own."""
    machine = make_machine().boot()
    assert machine.run("systemctl", "is-system-running").stdout == "running\n"
    with socket.create_server(("127.0.0.1", 0)) as outside:
        with machine.network():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(outside.getsockname(), timeout=5)
            inside = socket.create_server(("127.0.0.1", 8080))
        assert "0100007F:1F90" in machine.run("cat", "/proc/net/tcp").stdout
        inside.close()
        socket.create_connection(outside.getsockname(), timeout=5).close()


def test_what_was_written_outlasts_a_reboot(make_machine):
    machine = make_machine().boot()
    machine.sh("echo kept > /var/lib/mark; sync")
    machine.power_off()
    machine.boot()
    assert machine.run("cat", "/var/lib/mark").stdout == "kept\n"
