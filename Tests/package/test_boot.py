"""Under a real systemd, as the package comes: what is told, what is served, what the process may do, and how it comes back."""

import json
import re
import socket
import time

import jwt
import pytest
import requests

import installation
from service import LOCAL, UNIT, answers, drop_in, get, journal, lines, log, main_pid, show, signal
from waiting import eventually


@pytest.fixture(scope="module")
def booted(make_module_machine):
    machine = make_module_machine()
    installation.install(machine)
    machine.boot()
    eventually(lambda: show(machine, "ActiveState") != "activating")
    return machine


def test_it_starts_with_the_machine(booted):
    """CHECKLIST 55: no network at boot, no name server, and nothing configured."""
    assert show(booted, "ActiveState") == "active"
    assert booted.run("systemctl", "is-system-running").stdout == "running\n"
    assert not booted.path("/etc/resolv.conf").exists()
    assert get(booted, LOCAL + "/api/v1/health").json()["status"] == "healthy"
    assert show(booted, "StatusText") == "Waiting for public_url"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_port_80_waits_for_the_configuration(booted, host):
    """People and programs are told what is missing; no account can be made there."""
    page = get(booted, f"http://{host}/", headers={"Accept": "text/html"})
    assert page.status_code == 503 and page.headers["Content-Type"].startswith("text/html")
    assert "Gatehouse is installed" in page.text and installation.CONFIGURATION in page.text
    with booted.network():
        answer = requests.post(f"http://{host}/api/v1/auth/register", json={"email": "a@example.com", "password": "x"}, timeout=10)
    assert answer.status_code == 503 and answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == "unavailable" and "public_url" in answer.json()["detail"]


def test_port_443_is_closed_at_once(booted):
    with booted.network(), socket.create_connection(("127.0.0.1", 443), timeout=5) as connection:
        assert connection.recv(1) == b""


def test_starting_returns_when_it_answers(booted):
    """Type=notify: whoever starts after it can use it."""
    for _ in range(3):
        booted.run("systemctl", "restart", UNIT)
        assert get(booted, LOCAL + "/api/v1/health/ready").status_code == 200
    assert show(booted, "StatusText").startswith("Waiting")
    assert show(booted, "NRestarts") == "0"


def test_the_journal_holds_json_lines(booted):
    entries = [json.loads(line) for line in lines(booted)]
    assert {"Listening", "Ready"} <= {entry["message"] for entry in entries}
    assert all({"time", "level", "message"} <= entry.keys() for entry in entries)
    ready = [entry for entry in journal(booted, "--priority=5..5") if '"message":"Ready"' in entry["MESSAGE"]]
    assert ready and ready[-1]["MESSAGE"].startswith("{"), "the priority is the journal's, no part of the line"


def test_the_sandbox_from_inside(booted):
    """No capability, no new privileges, a filter of system calls; as a user that owns nothing but its folders."""
    pid = main_pid(booted)
    status = dict(line.split(":\t", 1) for line in booted.run("cat", f"/proc/{pid}/status").stdout.splitlines())
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    user = booted.run("id", "-u", "gatehouse").stdout.strip()
    assert set(status["Uid"].split()) == {user} and status["Groups"].split() in ([], [booted.run("id", "-g", "gatehouse").stdout.strip()])
    limits = booted.run("cat", f"/proc/{pid}/limits").stdout
    assert re.search(r"Max core file size +0 +0", limits)
    # A test machine may have less to give than is asked for.
    files = re.search(r"Max open files +(\d+) +(\d+)", limits)
    assert files.group(1) == files.group(2) and show(booted, "LimitNOFILE") == "524288"
    assert show(booted, "LimitNICE") == "24", "see getrlimit(2): 20 - nice"


def test_what_can_be_written(booted):
    """The service's own view of the file system: all of it read-only but its folders, and /home not there."""
    pid = main_pid(booted)
    inside = ["nsenter", f"--target={pid}", "--mount"]
    folders = ["/", "/etc", "/etc/gatehouse", "/usr", "/usr/bin", "/var", "/var/lib", "/opt", "/srv", "/boot", "/home", "/root", "/sys"]
    folders += ["/run", "/run/lock", "/run/systemd", "/dev", "/dev/shm"]
    for folder in folders:
        # As root: what a mode forbids would say nothing of the mounts.
        done = booted.run(*inside, "touch", f"{folder}/probe", check=False)
        assert done.returncode != 0 and "Read-only" in done.stderr or "Permission denied" in done.stderr, (folder, done)
    for folder in ("/var/lib/gatehouse", "/run/gatehouse", "/tmp"):
        booted.run(*inside, "touch", f"{folder}/probe")
    assert not booted.path("/tmp/probe").exists(), "its /tmp is its own"
    booted.run(*inside, "rm", "/var/lib/gatehouse/probe", "/run/gatehouse/probe")
    assert booted.run(*inside, "ls", "/dev/sda", "/dev/mem", "/dev/kmsg", check=False).stdout == ""
    listed = booted.sh("stat -c '%a %U' /var/lib/gatehouse /var/lib/gatehouse/*").split("\n")
    assert {line for line in listed if line} <= {"700 gatehouse", "600 gatehouse"}


def test_metrics_are_whole_in_the_sandbox(booted):
    """What the kernel tells of the process can be read there too."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(booted.path("/var/lib/gatehouse/admin.sock")))
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    began = float(re.search(r"^process_start_time_seconds (\S+)$", answer, re.M).group(1))
    assert 0 <= time.time() - began < 600
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert re.search(rf"^{name} [0-9.e+]+$", answer, re.M), name


def test_reload_is_in_force_when_it_returns(booted):
    pid = main_pid(booted)
    installation.configure(booted, '[cors]\norigins = ["https://other.test"]\n')
    booted.run("systemctl", "reload", UNIT)
    answer = get(booted, LOCAL + "/health", headers={"Origin": "https://other.test"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://other.test"
    assert main_pid(booted) == pid and show(booted, "ActiveState") == "active"


def test_a_faulty_configuration_fails_the_reload_and_changes_nothing(booted):
    pid = main_pid(booted)
    installation.configure(booted, "no_such_setting = 1\n")
    done = booted.run("systemctl", "reload", UNIT, check=False)
    installation.configure(booted)
    assert done.returncode != 0
    assert main_pid(booted) == pid and answers(booted)
    assert any("no_such_setting" in entry["MESSAGE"] for entry in journal(booted))


def test_killed_it_is_back_within_2_s(booted):
    """CHECKLIST 54: kill -9, three times in a row; what was asked meanwhile was not refused on the sockets of systemd."""
    for round in range(3):
        pid = main_pid(booted)
        signal(booted, "KILL")
        killed = time.monotonic()
        eventually(lambda: main_pid(booted) not in (0, pid) and answers(booted), within=2)
        assert time.monotonic() - killed < 2
        assert get(booted, "http://127.0.0.1/").status_code == 503, "the socket stayed"
    assert int(show(booted, "NRestarts")) == 3


def test_the_watchdog_restarts_what_hangs(booted):
    """CHECKLIST 54: SIGSTOP, after which nothing is told to systemd any more."""
    assert show(booted, "WatchdogUSec") == "20s"
    drop_in(booted, "watchdog", "[Service]\nWatchdogSec=500ms\n")
    booted.run("systemctl", "restart", UNIT)
    pid = main_pid(booted)
    signal(booted, "STOP")
    eventually(lambda: main_pid(booted) not in (0, pid) and answers(booted), within=10)
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in journal(booted))
    booted.path(f"/etc/systemd/system/{UNIT}.d/watchdog.conf").unlink()
    booted.run("systemctl", "daemon-reload")


def test_a_crash_loop_backs_off(booted):
    """CHECKLIST 51, 54: a damaged database is told with its path and advice and left alone, and its starts come further and further
    apart; with a whole one, a start by hand is enough."""
    booted.run("systemctl", "stop", UNIT)
    database = "/var/lib/gatehouse/gatehouse.db"
    booted.sh(f"cp -p {database} /root/whole.db; head -c 65536 /dev/urandom > /root/damaged; cat /root/damaged > {database}")
    booted.run("systemctl", "start", "--no-block", UNIT)
    eventually(lambda: show(booted, "StatusText").startswith("Waiting 1.0 seconds"), within=30)
    booted.run("systemctl", "stop", UNIT)
    entries = log(booted)
    starts = [entry for entry in entries if entry["message"] == "The last starts ended early: waiting"]
    assert [entry["wait"] for entry in starts][-2:] == ["0.5 seconds", "1.0 seconds"]
    failures = [entry["MESSAGE"] for entry in journal(booted) if database in entry["MESSAGE"]]
    assert failures and "restore" in failures[-1].lower()
    booted.sh(f"cmp /root/damaged {database}; cat /root/whole.db > {database}")
    booted.run("systemctl", "start", UNIT)
    assert answers(booted)


def test_a_faulty_configuration_waits_for_a_person(booted):
    """Exit code 78: it is not tried again, the ports stay where they are, and starting works once the fault is mended."""
    installation.configure(booted, "no_such_setting = 1\n")
    assert booted.run("systemctl", "restart", UNIT, check=False).returncode != 0
    assert show(booted, "ExecMainStatus") == "78"
    assert show(booted, "ActiveState") == "failed"
    told = json.loads(journal(booted, "--priority=crit", "--identifier=gatehouse")[-1]["MESSAGE"])
    assert told["level"] == "critical" and "no_such_setting" in told["reason"] and told["exit_code"] == "78"
    installation.configure(booted)
    booted.run("systemctl", "restart", UNIT)
    assert answers(booted) and get(booted, "http://127.0.0.1/").status_code == 503


def test_clients_do_not_make_a_faulty_configuration_spin(booted):
    """Each connection to a socket of systemd starts the service: systemd stops that after a few, and a restart mends it."""
    installation.configure(booted, "no_such_setting = 1\n")
    booted.run("systemctl", "restart", UNIT, check=False)
    before = len(journal(booted))
    with booted.network(), socket.create_connection(("127.0.0.1", 80), timeout=5):
        eventually(lambda: show(booted, "ActiveState", "gatehouse.socket") == "failed", within=20)
    eventually(lambda: show(booted, "ActiveState") == "failed")
    assert len(journal(booted)) - before < 500
    installation.configure(booted)
    booted.run("systemctl", "restart", UNIT)
    assert get(booted, "http://127.0.0.1/").status_code == 503 and show(booted, "ActiveState", "gatehouse.socket") == "active"


def test_a_secret_comes_from_a_credential(booted):
    """The file is root's alone; the service sees a copy of it, and says nowhere what is in it."""
    secret = "0123456789abcdef-from-a-credential"
    folder = booted.path("/etc/gatehouse/credentials")
    (folder / "auth.jwt_secret").write_text(secret + "\n")
    (folder / "auth.jwt_secret").chmod(0o600)
    booted.run("systemctl", "restart", UNIT)
    seen = booted.run("nsenter", f"--target={main_pid(booted)}", "--mount", "cat", f"/run/credentials/{UNIT}/gatehouse_auth.jwt_secret")
    assert seen.stdout.strip() == secret
    with booted.network():
        answer = requests.post(
            LOCAL + "/api/v1/auth/register", json={"email": "c@example.com", "password": "Correct-Horse-9-battery"}, timeout=20)
    assert jwt.decode(answer.json()["access_token"], secret, algorithms=["HS256"], options={"verify_aud": False})["sub"]
    assert secret not in booted.log_text()
    (folder / "auth.jwt_secret").rename(folder / "auth.jwt_secert")
    assert booted.run("systemctl", "restart", UNIT, check=False).returncode != 0
    assert any("did you mean auth.jwt_secret?" in entry["MESSAGE"] for entry in journal(booted))
    (folder / "auth.jwt_secert").unlink()
    folder.rmdir()
    booted.run("systemctl", "restart", UNIT)
    assert answers(booted), "it starts without the folder"


def test_the_timer_starts_the_backup(booted):
    """Every night, at a time that differs between machines; made up for where the machine was off."""
    timer = "gatehouse-backup.timer"
    assert show(booted, "ActiveState", timer) == "active" and show(booted, "Persistent", timer) == "yes"
    assert "03:00:00" in show(booted, "TimersCalendar", timer)
    drop_in(booted, "soon", "[Timer]\nOnActiveSec=100ms\nAccuracySec=1ms\nRandomizedDelaySec=0\n", unit=timer)
    booted.run("systemctl", "restart", timer)
    eventually(lambda: show(booted, "ExecMainExitTimestampMonotonic", "gatehouse-backup.service") not in ("", "0"))
    assert show(booted, "Result", "gatehouse-backup.service") == "success"
    (archive,) = booted.sh("ls /var/lib/gatehouse/backups/").split()
    assert re.fullmatch(r"gatehouse-\d{8}T\d{6}Z\.tar\.gz", archive)
    assert booted.run("stat", "-c", "%U %a", f"/var/lib/gatehouse/backups/{archive}").stdout == "gatehouse 600\n"
    assert "gatehouse.db" in booted.run("tar", "--list", "--file", f"/var/lib/gatehouse/backups/{archive}").stdout


def test_stopping_is_orderly(booted):
    booted.run("systemctl", "stop", UNIT, "gatehouse.socket")
    assert show(booted, "Result") == "success"
    assert log(booted)[-1]["message"] == "Stopped"
