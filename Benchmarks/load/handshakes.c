/* New TLS connections per second: each makes a handshake, one request, reads the answer, and is gone.
 *
 *   handshakes PORT PATH SECONDS CONNECTIONS THREADS full|resumed
 *
 * So many connections are under way at once. `resumed`: every handshake but a thread's first presents the ticket of that first one. Prints
 * one line of JSON; what fails is counted, and so is what was to be resumed and was not. A connection is ended by a reset, so that no port
 * is left waiting. TLS 1.3, X25519, and the client's and the server's own choice of cipher.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int port, resumed;
static char request[512];
static double deadline;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

struct slot {
    int socket, asked;
    SSL *tls;
};

struct worker {
    pthread_t thread;
    int slots;
    SSL_CTX *context;
    SSL_SESSION *session;
    long done, failed, unresumed;
    char cipher[64];
};

/* The chain is not looked at: it is the server that is measured. The signature of the handshake is checked in any case. */
static int trust(X509_STORE_CTX *chain, void *nothing) {
    (void)chain, (void)nothing;
    return 1;
}

static void finish(struct slot *slot) {
    if (slot->tls) {
        /* Freed without, its session would be taken for a bad one and never be resumed. */
        SSL_set_shutdown(slot->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(slot->tls);
    }
    slot->tls = NULL;
    if (slot->socket >= 0) {
        struct linger reset = {1, 0};
        setsockopt(slot->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(slot->socket);
    }
    slot->socket = -1;
}

static int begin(struct worker *worker, struct slot *slot, int epoll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    slot->asked = 0;
    slot->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(slot->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(slot->socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) return -1;
    slot->tls = SSL_new(worker->context);
    SSL_set_fd(slot->tls, slot->socket);
    SSL_set_connect_state(slot->tls);
    if (resumed && worker->session) SSL_set_session(slot->tls, worker->session);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, slot->socket, &event);
}

/* 0: needs more from the server; 1: done; -1: failed. */
static int advance(struct worker *worker, struct slot *slot) {
    char answer[16384];
    int result;
    ERR_clear_error();
    if (!slot->asked) {
        if ((result = SSL_do_handshake(slot->tls)) == 1) {
            if (resumed && worker->session && !SSL_session_reused(slot->tls)) worker->unresumed++;
            if (!worker->cipher[0]) snprintf(worker->cipher, sizeof worker->cipher, "%s", SSL_get_cipher(slot->tls));
            slot->asked = 1;
            result = SSL_write(slot->tls, request, strlen(request));
            if (result <= 0) return -1;
        }
    }
    if (slot->asked && (result = SSL_read(slot->tls, answer, sizeof answer)) > 0) {
        /* The tickets of TLS 1.3 came before the answer. */
        if (resumed && !worker->session) worker->session = SSL_get1_session(slot->tls);
        return result > 12 && !memcmp(answer, "HTTP/1.1 200", 12) ? 1 : -1;
    }
    int error = SSL_get_error(slot->tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct slot *slots = calloc(worker->slots, sizeof *slots);
    int epoll = epoll_create1(0);
    /* The first one alone: it brings the ticket. */
    int open = resumed ? 1 : worker->slots;
    for (int i = 0; i < worker->slots; i++) slots[i].socket = -1;
    for (int i = 0; i < open; i++) begin(worker, &slots[i], epoll);
    while (now() < deadline) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < count; i++) {
            struct slot *slot = events[i].data.ptr;
            int result = advance(worker, slot);
            if (!result) continue;
            if (result > 0) worker->done++;
            else worker->failed++;
            finish(slot);
            if (begin(worker, slot, epoll)) worker->failed++, finish(slot);
        }
        for (; open < worker->slots && (!resumed || worker->session); open++) begin(worker, &slots[open], epoll);
    }
    for (int i = 0; i < worker->slots; i++) finish(&slots[i]);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 7) return 64;
    port = atoi(arguments[1]);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", arguments[2]);
    double seconds = atof(arguments[3]);
    int connections = atoi(arguments[4]), threads = atoi(arguments[5]);
    resumed = !strcmp(arguments[6], "resumed");
    double begun = now();
    deadline = begun + seconds;
    struct worker *workers = calloc(threads, sizeof *workers);
    for (int i = 0; i < threads; i++) {
        struct worker *worker = &workers[i];
        worker->slots = connections / threads > 0 ? connections / threads : 1;
        worker->context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_min_proto_version(worker->context, TLS1_3_VERSION);
        SSL_CTX_set1_groups_list(worker->context, "X25519");
        /* With the client's cache on, the next ticket would spoil the session that this one belongs to. */
        SSL_CTX_set_session_cache_mode(worker->context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_cert_verify_callback(worker->context, trust, NULL);
        pthread_create(&worker->thread, NULL, work, worker);
    }
    long done = 0, failed = 0, unresumed = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
        failed += workers[i].failed;
        unresumed += workers[i].unresumed;
    }
    printf("{\"requests\":%ld,\"seconds\":%.6f,\"refused\":%ld,\"broken\":%ld,\"cipher\":\"%s\"}\n", done, now() - begun, unresumed, failed,
           workers[0].cipher);
    return 0;
}
