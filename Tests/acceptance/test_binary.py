"""The release binary itself."""

import re
import statistics
import subprocess
import time

import requests

from gate import BINARY, QUICK, Gatehouse

# ARCHITECTURE.md, "Building". The loader and the kernel's own object are no libraries.
LIBRARIES = {"libc.so.6", "libm.so.6", "libz.so.1", "libgcc_s.so.1", "libssl.so.3", "libcrypto.so.3"}


def test_size():
    assert BINARY.stat().st_size < 30_000_000


def test_shared_libraries():
    listed = subprocess.run(["ldd", str(BINARY)], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in listed.splitlines()}
    assert {name for name in names if not name.startswith(("linux-vdso", "/lib"))} <= LIBRARIES, listed
    assert "libssl.so.3" in names and "not found" not in listed


def test_no_icu_and_no_second_crypto_library():
    """One `import Foundation` would bring 34 MB of tables."""
    content = BINARY.read_bytes()
    for mark in (rb"icudt\d\d", rb"_foundation_unicode", rb"FoundationInternationalization", rb"BoringSSL", rb"CNIOBoringSSL"):
        assert not re.search(mark, content), mark


def test_stripped():
    sections = subprocess.run(["readelf", "-SW", str(BINARY)], capture_output=True, text=True, check=True).stdout
    assert ".symtab" not in sections and ".debug_info" not in sections


def test_runs_with_no_configuration_at_all(tmp_path):
    """The embedded default: 127.0.0.1, ./gatehouse-data. PORT alone is set, so that the test keeps to a free one."""
    server = Gatehouse(tmp_path)
    server.env = {"PORT": str(server.port)}
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen([str(BINARY), "serve"], cwd=tmp_path, env=server.environment(), stdout=log, stderr=log)
    try:
        server.wait_ready()
        assert server.register() and (tmp_path / "gatehouse-data/gatehouse.db").exists()
        assert server.stop() == 0
    finally:
        server.kill()


def test_memory_at_idle(make_server):
    """In 25 MB, with room to spare: what a start runs stands side by side (scripts/link-order)."""
    assert make_server(QUICK).start().resident_mb() < 23


def test_start_to_first_answer(make_server, record_property):
    """Bounded loosely here, where other work may run beside it; measured by `make bench`."""
    server = make_server(QUICK).start()
    times = []
    for _ in range(5):
        assert server.stop() == 0
        begun = time.monotonic()
        server.spawn()
        while time.monotonic() - begun < 5:
            try:
                assert requests.get(server.url + "/health", timeout=1).status_code == 200
                break
            except requests.ConnectionError:
                time.sleep(0.001)
        times.append(time.monotonic() - begun)
    record_property("start_ms", statistics.median(times) * 1000)
    assert statistics.median(times) < 0.5, times
