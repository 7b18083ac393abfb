#pragma once
#include <sqlite3.h>

// sqlite3_db_config takes variable arguments, which Swift cannot call.
static inline int gate_sqlite3_db_config_bool(sqlite3 *db, int option, int value) {
    return sqlite3_db_config(db, option, value, (int *)0);
}

// Lets SQLite allocate without counting: the counters stand behind one mutex for all threads of the process. Refused, and no harm done,
// once SQLite is in use.
static inline void gate_sqlite3_stop_counting_memory(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// SQLITE_TRANSIENT is a cast that Swift cannot read.
static inline int gate_sqlite3_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int gate_sqlite3_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return sqlite3_bind_blob(statement, index, length > 0 ? bytes : (const void *)"", length, SQLITE_TRANSIENT);
}
