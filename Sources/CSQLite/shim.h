#pragma once
#include <sqlite3.h>

// sqlite3_config and sqlite3_db_config take variable arguments, which Swift cannot call.
static inline int gate_sqlite3_db_config_bool(sqlite3 *db, int option, int value) {
    return sqlite3_db_config(db, option, value, (int *)0);
}
