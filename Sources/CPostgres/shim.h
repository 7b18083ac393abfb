#pragma once
// What is used of libpq (https://www.postgresql.org/docs/15/libpq.html), declared here: the library is not linked, and its headers are not
// needed. It is opened by dlopen(3) when a configuration asks for Postgres, since most installations do without. The ABI is that of
// libpq.so.5, which has only grown since 2006; pipelines came with PostgreSQL 14's.
//
// No header of the system's is included: their structures would belong to two modules then.
void *_Nullable dlopen(const char *_Nullable file, int mode);
void *_Nullable dlsym(void *_Nullable library, const char *_Nonnull name);
char *_Nullable dlerror(void);

typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
typedef unsigned int Oid;

typedef struct pgNotify {
    char *relname;
    int be_pid;
    char *extra;
    struct pgNotify *next;
} PGnotify;

typedef void (*gate_notice_processor)(void *_Nullable argument, const char *_Nullable message);

enum { GATE_CONNECTION_OK = 0, GATE_CONNECTION_BAD = 1 };
enum { GATE_POLLING_FAILED = 0, GATE_POLLING_READING = 1, GATE_POLLING_WRITING = 2, GATE_POLLING_OK = 3 };
enum { GATE_COMMAND_OK = 1, GATE_TUPLES_OK = 2, GATE_FATAL_ERROR = 7, GATE_PIPELINE_SYNC = 10, GATE_PIPELINE_ABORTED = 11 };
enum { GATE_IN_TRANSACTION = 2 };
enum { GATE_DIAG_SEVERITY = 'V', GATE_DIAG_SQLSTATE = 'C', GATE_DIAG_MESSAGE = 'M', GATE_DIAG_DETAIL = 'D' };
enum { GATE_DIAG_SCHEMA = 's', GATE_DIAG_CONSTRAINT = 'n' };
enum { GATE_OID_BOOL = 16, GATE_OID_BYTEA = 17, GATE_OID_NAME = 19, GATE_OID_INT8 = 20, GATE_OID_INT2 = 21, GATE_OID_INT4 = 23 };
enum { GATE_OID_TEXT = 25, GATE_OID_FLOAT8 = 701, GATE_OID_VARCHAR = 1043 };

// The functions, under their own names without the prefix PQ.
#define GATE_LIBPQ_FUNCTIONS(X)                                                                                                    \
    X(PGconn *_Nullable, connectStartParams, (const char *_Nullable const *_Nonnull keywords, const char *_Nullable const *_Nonnull values, int expandDatabaseName)) \
    X(int, connectPoll, (PGconn *_Nonnull))                                                                                        \
    X(int, status, (const PGconn *_Nonnull))                                                                                       \
    X(int, transactionStatus, (const PGconn *_Nonnull))                                                                            \
    X(int, socket, (const PGconn *_Nonnull))                                                                                       \
    X(int, backendPID, (const PGconn *_Nonnull))                                                                                   \
    X(int, serverVersion, (const PGconn *_Nonnull))                                                                                \
    X(void, finish, (PGconn *_Nonnull))                                                                                            \
    X(char *_Nullable, errorMessage, (const PGconn *_Nonnull))                                                                     \
    X(int, setnonblocking, (PGconn *_Nonnull, int))                                                                                \
    X(gate_notice_processor _Nullable, setNoticeProcessor, (PGconn *_Nonnull, gate_notice_processor _Nonnull, void *_Nullable))    \
    X(int, sendQuery, (PGconn *_Nonnull, const char *_Nonnull))                                                                    \
    X(int, sendQueryParams, (PGconn *_Nonnull, const char *_Nonnull, int count, const Oid *_Nullable types, const char *_Nullable const *_Nullable values, const int *_Nullable lengths, const int *_Nullable formats, int resultFormat)) \
    X(int, sendPrepare, (PGconn *_Nonnull, const char *_Nonnull name, const char *_Nonnull text, int count, const Oid *_Nullable types)) \
    X(int, sendQueryPrepared, (PGconn *_Nonnull, const char *_Nonnull name, int count, const char *_Nullable const *_Nullable values, const int *_Nullable lengths, const int *_Nullable formats, int resultFormat)) \
    X(int, enterPipelineMode, (PGconn *_Nonnull))                                                                                  \
    X(int, exitPipelineMode, (PGconn *_Nonnull))                                                                                   \
    X(int, pipelineSync, (PGconn *_Nonnull))                                                                                       \
    X(int, sslInUse, (PGconn *_Nonnull))                                                                                           \
    X(char *_Nullable, host, (const PGconn *_Nonnull))                                                                             \
    X(int, flush, (PGconn *_Nonnull))                                                                                              \
    X(int, consumeInput, (PGconn *_Nonnull))                                                                                       \
    X(int, isBusy, (PGconn *_Nonnull))                                                                                             \
    X(PGresult *_Nullable, getResult, (PGconn *_Nonnull))                                                                          \
    X(PGnotify *_Nullable, notifies, (PGconn *_Nonnull))                                                                           \
    X(void, freemem, (void *_Nonnull))                                                                                             \
    X(int, resultStatus, (const PGresult *_Nonnull))                                                                               \
    X(char *_Nullable, resultErrorField, (const PGresult *_Nonnull, int field))                                                    \
    X(char *_Nonnull, cmdStatus, (PGresult *_Nonnull))                                                                             \
    X(char *_Nonnull, cmdTuples, (PGresult *_Nonnull))                                                                             \
    X(int, ntuples, (const PGresult *_Nonnull))                                                                                    \
    X(int, nfields, (const PGresult *_Nonnull))                                                                                    \
    X(Oid, ftype, (const PGresult *_Nonnull, int column))                                                                          \
    X(char *_Nonnull, getvalue, (const PGresult *_Nonnull, int row, int column))                                                   \
    X(int, getlength, (const PGresult *_Nonnull, int row, int column))                                                             \
    X(int, getisnull, (const PGresult *_Nonnull, int row, int column))                                                             \
    X(void, clear, (PGresult *_Nonnull))                                                                                           \
    X(int, libVersion, (void))

#define GATE_LIBPQ_FIELD(result, name, parameters) result (*_Nonnull name) parameters;
typedef struct {
    GATE_LIBPQ_FUNCTIONS(GATE_LIBPQ_FIELD)
} gate_libpq;
#undef GATE_LIBPQ_FIELD

// Opens the library and finds every function. Answers what is wrong, or a null. The library is never closed: it holds on to OpenSSL.
static inline const char *_Nullable gate_libpq_open(const char *_Nonnull name, gate_libpq *_Nonnull functions) {
    void *library = dlopen(name, 2 /* RTLD_NOW */);
    if (!library) return dlerror();
#define GATE_LIBPQ_FIND(result, name, parameters)                       \
    *(void **)(void *)&functions->name = dlsym(library, "PQ" #name);    \
    if (!functions->name) return "it lacks PQ" #name;
    GATE_LIBPQ_FUNCTIONS(GATE_LIBPQ_FIND)
#undef GATE_LIBPQ_FIND
    return 0;
}
