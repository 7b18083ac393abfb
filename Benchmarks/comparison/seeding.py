"""Accounts and sessions by the hundred thousand, put into a database at once: over the API their passwords would take hours to hash.

An account is a copy of one that was registered, with an identifier and an address of its own, and the same password. A session is a copy of one
of its, with an identifier of its own: it lives as long, and is listed and ended like any other. The server must not run meanwhile."""

from __future__ import annotations

import sqlite3

from .backends import Instance, Postgres


def address(number: int) -> str:
    return f"seeded{number}@example.com"


# How each database writes a number as twelve digits in base 16, and counts.
DIALECTS = {
    "sqlite": ("printf('%012x', number)", "(WITH RECURSIVE n(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM n WHERE number < {last}) SELECT number FROM n)"),
    "postgres": ("lpad(to_hex(number), 12, '0')", "(SELECT generate_series(0, {last}) AS number)"),
}


def statements(dialect: str, columns: dict[str, list[str]], users: int, sessions: int, template: str) -> list[str]:
    """`columns` are those of the tables; `template` is the address of the account that is copied. Session number *i* is that of account *i* modulo
    `users`."""
    digits, counting = DIALECTS[dialect]
    own = {
        "users": {"id": f"'01000000-0000-7000-8000-' || {digits}", "email": "'seeded' || number || '@example.com'"},
        "sessions": {"id": f"'01000000-0000-7000-9000-' || {digits}", "user_id": f"'01000000-0000-7000-8000-' || {digits.replace('number', f'(number % {users})')}"},
    }
    chosen = {
        "users": f"SELECT * FROM users WHERE email = '{template}'",
        "sessions": f"SELECT * FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = '{template}') LIMIT 1",
    }
    return [
        f"INSERT INTO {table} ({', '.join(columns[table])}) SELECT {', '.join(own[table].get(name, f'template.{name}') for name in columns[table])} "
        f"FROM ({chosen[table]}) AS template, {counting.format(last=count - 1)} AS numbers"
        for table, count in (("users", users), ("sessions", sessions)) if count
    ]


def seed_sqlite(server: Instance, template: str, users: int, sessions: int) -> None:
    connection = sqlite3.connect(server.folder / "data/gatehouse.db")
    columns = {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in ("users", "sessions")}
    with connection:
        for statement in statements("sqlite", columns, users, sessions, template):
            connection.execute(statement)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def seed_postgres(postgres: Postgres, name: str, template: str, users: int, sessions: int) -> None:
    columns = {
        table: postgres.sql(
            name, f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position").split()
        for table in ("users", "sessions")
    }
    postgres.sql(name, ";\n".join(["BEGIN", *statements("postgres", columns, users, sessions, template), "COMMIT", "VACUUM ANALYZE"]) + ";")
