// What SQLite can do on this disk with the same group commit, and nothing around it: the mark that storage-bench is held to.
//
//   cc -O2 -o storage-baseline storage-baseline.c -l:libsqlite3.a -lm -lpthread -ldl
//   storage-baseline FOLDER ROWS_PER_COMMIT SECONDS SAVEPOINTS(0|1)

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void check(int code, sqlite3 *database) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "%s\n", sqlite3_errmsg(database));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), database);
    return statement;
}

static void run(sqlite3_stmt *statement, sqlite3 *database) {
    check(sqlite3_step(statement), database);
    sqlite3_reset(statement);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 5) return 64;
    const int rows = atoi(argv[2]), savepoints = atoi(argv[4]);
    const double duration = atof(argv[3]);
    char path[4096];
    snprintf(path, sizeof path, "%s/baseline-%d-%d.db", argv[1], rows, savepoints);
    remove(path);
    sqlite3 *database;
    check(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL), database);
    check(sqlite3_exec(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
        "CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT", NULL, NULL, NULL), database);
    sqlite3_stmt *begin = prepare(database, "BEGIN IMMEDIATE"), *commit = prepare(database, "COMMIT");
    sqlite3_stmt *savepoint = prepare(database, "SAVEPOINT body"), *release = prepare(database, "RELEASE body");
    sqlite3_stmt *insert = prepare(database, "INSERT INTO event (at, body) VALUES (?1, ?2)");
    static const char body[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const double start = now();
    long written = 0;
    while (now() - start < duration) {
        run(begin, database);
        for (int row = 0; row < rows; row++) {
            if (savepoints && row > 0) run(savepoint, database);
            sqlite3_bind_int64(insert, 1, written);
            sqlite3_bind_text(insert, 2, body, sizeof body - 1, SQLITE_TRANSIENT);
            run(insert, database);
            if (savepoints && row > 0) run(release, database);
            written++;
        }
        run(commit, database);
    }
    printf("{\"rows_per_commit\":%d,\"savepoints\":%d,\"writes_per_second\":%.0f}\n", rows, savepoints, (double)written / (now() - start));
    return 0;
}
