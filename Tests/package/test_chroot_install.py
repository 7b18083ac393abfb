"""Installing, removing and purging, in a Debian that is not booted: what is there afterwards, and whose it is."""

import hashlib
import os
import pathlib
import stat

from packages import NEXT, PREVIOUS, install, migrate_beyond, package, purge, version

PASSWORD = "Correct-Horse-9-battery"
# Where the package database, its caches and logs note what was done; they are no files of the package.
NOTES = ("/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/proc", "/dev", "/sys", "/run", "/tmp", "/root")
# What others keep of the users that there were: passwd(5)'s copies, and the ranges of subordinate ids.
COPIES = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock", "/etc/ld.so.cache")


def _tree(machine) -> dict:
    """Everything in the machine, with its kind, mode, owner and content."""
    root, found = str(machine.path("/")), {}
    for folder, folders, files in os.walk(root):
        inside = folder[len(root):].rstrip("/")
        folders[:] = [name for name in folders if f"{inside}/{name}" not in NOTES]
        for name in folders + files:
            path, shown = os.path.join(folder, name), f"{inside}/{name}"
            if shown in COPIES or shown in NOTES:
                continue
            facts = os.lstat(path)
            content = os.readlink(path) if stat.S_ISLNK(facts.st_mode) else ""
            if stat.S_ISREG(facts.st_mode):
                content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            found[shown] = (stat.filemode(facts.st_mode), facts.st_uid, facts.st_gid, content)
    return found


def _owners(machine, folder: str) -> set[str]:
    return set(machine.run("find", folder, "-printf", "%u:%g %m\n").stdout.splitlines())


def _users(machine, folder: str) -> set[str]:
    return {line.split()[0] for line in _owners(machine, folder)}


def _add(machine, email: str):
    return machine.run("gatehouse", "user", "add", email, text=PASSWORD + "\n")


def _emails(machine) -> str:
    return machine.run("gatehouse", "user", "list").stdout


def test_installing_makes_what_there_has_to_be_and_says_what_is_next(make_machine):
    machine = make_machine()
    said = install(machine, package()).stdout
    assert "/etc/gatehouse/gatehouse.toml" in said and "public_url" in said and "gatehouse doctor" in said
    assert machine.run("gatehouse", "version").stdout.startswith(f"gatehouse {version()}\n")
    assert machine.run("getent", "passwd", "gatehouse").stdout.endswith(":/var/lib/gatehouse:/usr/sbin/nologin\n")
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/gatehouse/gatehouse.toml").stdout == "root:gatehouse 640\n"
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/gatehouse/credentials").stdout == "root:root 700\n"
    assert machine.run("stat", "-c", "%U:%G %a", "/var/lib/gatehouse").stdout == "gatehouse:gatehouse 700\n"
    for unit in ("gatehouse.service", "gatehouse.socket", "gatehouse-backup.timer"):
        assert machine.run("systemctl", "is-enabled", unit).stdout == "enabled\n", unit
    # All that it says of itself is what the package was made of.
    assert machine.run("dpkg", "--verify", "gatehouse").stdout == ""


def test_commands_of_root_use_the_packaged_configuration_and_leave_nothing_of_roots(make_machine):
    """Without --config, before the service has ever run, and again with another file than the packaged one."""
    machine = make_machine()
    install(machine, package())
    _add(machine, "ann@example.com")
    assert "ann@example.com" in _emails(machine)
    machine.run("gatehouse", "secret", "rotate")
    machine.run("gatehouse", "doctor", check=False)
    assert "applied" in machine.run("gatehouse", "migrate", "status").stdout
    assert _owners(machine, "/var/lib/gatehouse") == {"gatehouse:gatehouse 700", "gatehouse:gatehouse 600"}
    assert machine.run("gatehouse", "check").stdout.count("/etc/gatehouse/gatehouse.toml:") == 1
    # The server's own user sees the same; another is told that the file is not for it.
    assert "ann@example.com" in machine.run("runuser", "-u", "gatehouse", "--", "gatehouse", "user", "list").stdout
    other = machine.run("runuser", "-u", "nobody", "--", "gatehouse", "user", "list", check=False)
    assert other.returncode == 78 and "may not be read by this user" in other.stderr
    # Named otherwise, or not at all.
    elsewhere = machine.sh("cd /tmp; GATEHOUSE_CONFIG= gatehouse user list; ls")
    assert "ann@" not in elsewhere and "gatehouse-data" in elsewhere
    machine.sh("echo 'data_dir = \"/tmp/other\"' > /tmp/other.toml")
    assert "/tmp/other.toml:1:1" in machine.sh("GATEHOUSE_CONFIG=/tmp/other.toml gatehouse check")


def test_a_look_at_a_folder_that_was_never_used_leaves_nothing_of_roots(make_machine):
    """The doctor stays root, to see who has the ports."""
    machine = make_machine()
    install(machine, package())
    machine.run("touch", "/var/lib/gatehouse/gatehouse.db")
    machine.run("chown", "gatehouse:", "/var/lib/gatehouse/gatehouse.db")
    machine.run("gatehouse", "doctor", check=False)
    assert machine.path("/var/lib/gatehouse/gatehouse.lock").exists()
    assert _users(machine, "/var/lib/gatehouse") == {"gatehouse:gatehouse"}


def test_root_does_not_serve_from_the_data_of_another_user(make_machine):
    machine = make_machine()
    install(machine, package())
    refused = machine.run("gatehouse", "serve", "--config", "/etc/gatehouse/gatehouse.toml", check=False)
    assert refused.returncode == 77 and "belongs to gatehouse" in refused.stderr
    assert machine.run("ls", "-A", "/var/lib/gatehouse").stdout == ""


def test_a_backup_of_roots_goes_where_root_says_without_a_server(make_machine):
    """To a folder that is closed to the server's user, and back from it."""
    machine = make_machine()
    install(machine, package())
    _add(machine, "ann@example.com")
    machine.run("gatehouse", "backup", "/root/one.tar.gz")
    assert machine.run("stat", "-c", "%U %a", "/root", "/root/one.tar.gz").stdout == "root 700\nroot 600\n"
    _add(machine, "bob@example.com")
    machine.run("gatehouse", "restore", "--verify", "/root/one.tar.gz")
    machine.run("gatehouse", "restore", "--replace", "/root/one.tar.gz")
    emails = _emails(machine)
    assert "ann@example.com" in emails and "bob@example.com" not in emails
    assert _users(machine, "/var/lib/gatehouse") == {"gatehouse:gatehouse"}


def test_removal_keeps_configuration_and_data(make_machine):
    machine = make_machine()
    install(machine, package())
    _add(machine, "ann@example.com")
    machine.sh("echo '# mine' >> /etc/gatehouse/gatehouse.toml; echo QUFBQUFBQUFBQUFBQUFBQUFBQUFB > /etc/gatehouse/credentials/acme.eab_hmac_key")
    before = {path: facts for path, facts in _tree(machine).items() if path.startswith(("/etc/gatehouse", "/var/lib/gatehouse"))}
    machine.run("apt-get", "remove", "--yes", "gatehouse")
    after = _tree(machine)
    assert {path: after.get(path) for path in before} == before
    assert machine.run("sh", "-c", "command -v gatehouse", check=False).returncode != 0
    assert not [path for path in after if path.startswith("/lib/systemd/system/gatehouse")]
    install(machine, package())
    assert "ann@example.com" in _emails(machine)
    assert machine.path("/etc/gatehouse/gatehouse.toml").read_text().endswith("# mine\n")


def test_purging_keeps_the_data_for_root_and_the_next_installation_takes_them_over(make_machine):
    """Also where the user's number has gone to somebody else in between."""
    machine = make_machine()
    install(machine, package())
    _add(machine, "ann@example.com")
    was = machine.run("id", "-u", "gatehouse").stdout.strip()
    assert "/var/lib/gatehouse stay" in purge(machine).stdout
    assert machine.run("getent", "passwd", "gatehouse", check=False).returncode == 2
    assert machine.run("getent", "group", "gatehouse", check=False).returncode == 2
    assert not machine.path("/etc/gatehouse").exists()
    assert _owners(machine, "/var/lib/gatehouse") == {"root:root 700", "root:root 600"}
    machine.run("useradd", "--system", "--uid", was, "somebody")
    install(machine, package())
    assert machine.run("id", "-u", "gatehouse").stdout.strip() != was
    assert _owners(machine, "/var/lib/gatehouse") == {"gatehouse:gatehouse 700", "gatehouse:gatehouse 600"}
    assert "ann@example.com" in _emails(machine)


def test_purging_leaves_nothing_where_the_flag_file_says_so(make_machine):
    """piuparts' question: what is left of it, and what of the others was changed? Nothing."""
    machine = make_machine()
    before = _tree(machine)
    install(machine, package())
    _add(machine, "ann@example.com")
    machine.run("touch", "/var/lib/gatehouse/remove-data-on-purge")
    machine.sh("echo QUFBQUFBQUFBQUFBQUFBQUFBQUFB > /etc/gatehouse/credentials/acme.eab_hmac_key")
    purge(machine)
    after = _tree(machine)
    assert {path for path in after if path not in before} == set()
    assert {path for path in before if path not in after} == set()
    # The folders' modes and owners, and the users, too.
    assert {path: (before[path], after[path]) for path in before if before[path] != after[path]} == {}


def test_purging_an_installation_that_never_ran_leaves_nothing(make_machine):
    machine = make_machine()
    before = _tree(machine)
    install(machine, package())
    machine.run("dpkg", "--remove", "gatehouse")
    machine.run("dpkg", "--purge", "gatehouse")
    assert _tree(machine) == before


def test_an_upgrade_keeps_an_edited_configuration_and_asks_nothing(make_machine):
    """Standard input is closed: a question would fail it."""
    machine = make_machine()
    install(machine, package(PREVIOUS))
    machine.sh("sed -i 's|^# public_url = .*|public_url = \"https://app.example.com\"|' /etc/gatehouse/gatehouse.toml")
    machine.sh("chmod 0600 /etc/gatehouse/gatehouse.toml; chown gatehouse: /etc/gatehouse/gatehouse.toml")
    _add(machine, "ann@example.com")
    edited = machine.path("/etc/gatehouse/gatehouse.toml").read_text()
    said = install(machine, package()).stdout
    assert "public_url" not in said, "what to do next is for the first installation"
    assert machine.path("/etc/gatehouse/gatehouse.toml").read_text() == edited
    assert machine.run("stat", "-c", "%U:%G %a", "/etc/gatehouse/gatehouse.toml").stdout == "gatehouse:gatehouse 600\n"
    assert machine.run("sh", "-c", "ls /etc/gatehouse").stdout.split() == ["credentials", "gatehouse.toml"]
    assert "ann@example.com" in _emails(machine)


def test_where_both_changed_the_configuration_the_operators_is_kept(make_machine):
    """As README.Debian says: with --force-confold there is no question."""
    machine = make_machine()
    install(machine, package(PREVIOUS))
    pristine = machine.path("/etc/gatehouse/gatehouse.toml").read_text()
    # An earlier version whose file had another text: what dpkg remembers of it is not what the new one brings.
    machine.sh("echo '# of an earlier version' >> /etc/gatehouse/gatehouse.toml")
    machine.sh("""
        sum=$(md5sum < /etc/gatehouse/gatehouse.toml | cut -d' ' -f1)
        sed -i "s|^ /etc/gatehouse/gatehouse.toml .*| /etc/gatehouse/gatehouse.toml $sum|" /var/lib/dpkg/status
        echo '# mine' >> /etc/gatehouse/gatehouse.toml
    """)
    install(machine, package(), "-o", "Dpkg::Options::=--force-confold")
    assert machine.path("/etc/gatehouse/gatehouse.toml").read_text().endswith("# mine\n")
    assert machine.path("/etc/gatehouse/gatehouse.toml.dpkg-dist").read_text() == pristine


def test_an_older_package_is_refused_where_the_database_is_newer(make_machine, tmp_path):
    """By the package itself, before anything is changed, in words that can be acted on."""
    machine = make_machine()
    install(machine, package(NEXT))
    _add(machine, "ann@example.com")
    migrate_beyond(machine, tmp_path)
    refused = install(machine, package(), "--allow-downgrades", check=False)
    assert refused.returncode != 0
    words = " ".join((refused.stdout + refused.stderr).split())
    assert f"gatehouse {version()} cannot take the place of {NEXT}: the database has schema 999" in words
    assert "Nothing was changed" in words and "before-migration-" in words
    state = machine.run("dpkg-query", "--show", "--showformat", "${Version} ${db:Status-Status}", "gatehouse").stdout
    assert state == f"{NEXT} installed"
    assert _owners(machine, "/var/lib/gatehouse") == {"gatehouse:gatehouse 700", "gatehouse:gatehouse 600"}


def test_an_older_package_is_installed_where_it_knows_the_database(make_machine):
    machine = make_machine()
    install(machine, package(NEXT))
    _add(machine, "ann@example.com")
    install(machine, package(), "--allow-downgrades")
    assert machine.run("dpkg-query", "--show", "--showformat", "${Version}", "gatehouse").stdout == version()
    assert "ann@example.com" in _emails(machine)
