/* New TLS 1.3 connections per second: each makes a handshake, one request, reads the answer, and is gone.
 *
 *   handshakes PORT PATH SECONDS CONNECTIONS PROCESSES full|resumed
 *
 * So many connections are under way at once. `resumed`: every connection but a process's first presents the ticket of that first one. Prints
 * one line of JSON; what fails is counted, and so is what was to be resumed and was not.
 *
 * OpenSSL's own client costs twice of what a server does (0.6 ms here), and on a shared machine would be what is measured. So this speaks
 * just enough of RFC 8446 by itself: X25519 with one key for all connections, TLS_AES_128_GCM_SHA256. It checks the server's Finished, and
 * looks at neither the certificate nor its signature. A connection is ended by a reset, so that no port is left waiting.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HASH = 32, KEY = 16, NONCE = 12, TAG = 16, ROOM = 1 << 17 };
enum { ALERT = 21, HANDSHAKE = 22, DATA = 23, SERVER_HELLO = 2, NEW_TICKET = 4, FINISHED = 20 };

typedef uint8_t digest[HASH];

struct direction {
    EVP_CIPHER_CTX *cipher;
    uint8_t nonce[NONCE];
    uint64_t sequence;
};

struct slot {
    int socket, phase; /* 0: the ServerHello is awaited; 1: the server's Finished; 2: the answer */
    int resumes, has_resumed;
    struct direction read, write;
    SHA256_CTX transcript;
    digest handshake, client, server, master, resumption, early;
    size_t count, messages;
    uint8_t buffer[ROOM], message[ROOM];
};

static int port, resumed, epoll;
static char request[512];
static double deadline;
static EVP_PKEY *key;
static EVP_PKEY_CTX *exchange;
static uint8_t share[32];
static EVP_CIPHER *aes;
/* Of the process's first connection. */
static struct {
    size_t length;
    uint8_t ticket[2048];
    uint32_t age_add;
    double since;
    digest key;
} held;
static struct told {
    long done, failed, unresumed;
} told;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* RFC 2104 */
static void hmac(const uint8_t *secret, const void *data, size_t length, digest out) {
    uint8_t pad[64];
    SHA256_CTX hash;
    for (int i = 0; i < 64; i++) pad[i] = 0x36 ^ (i < HASH ? secret[i] : 0);
    SHA256_Init(&hash), SHA256_Update(&hash, pad, 64), SHA256_Update(&hash, data, length), SHA256_Final(out, &hash);
    for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
    SHA256_Init(&hash), SHA256_Update(&hash, pad, 64), SHA256_Update(&hash, out, HASH), SHA256_Final(out, &hash);
}

/* HKDF-Expand-Label, RFC 8446 §7.1, of one block. */
static void expand(const digest secret, const char *label, const void *context, size_t length, uint8_t *out, size_t count) {
    uint8_t info[128];
    size_t at = 0, named = strlen(label);
    digest block;
    info[at++] = 0, info[at++] = count, info[at++] = named + 6;
    memcpy(info + at, "tls13 ", 6), at += 6;
    memcpy(info + at, label, named), at += named;
    info[at++] = length;
    if (length) memcpy(info + at, context, length), at += length;
    info[at++] = 1;
    hmac(secret, info, at, block);
    memcpy(out, block, count);
}

static void hash_so_far(const struct slot *slot, digest out) {
    SHA256_CTX copy = slot->transcript;
    SHA256_Final(out, &copy);
}

static void derive(const digest secret, const char *label, const digest hash, digest out) { expand(secret, label, hash, HASH, out, HASH); }

static void empty_hash(digest out) { SHA256((const uint8_t *)"", 0, out); }

static void use(struct direction *direction, const digest secret, int encrypts) {
    uint8_t material[KEY];
    expand(secret, "key", NULL, 0, material, KEY);
    expand(secret, "iv", NULL, 0, direction->nonce, NONCE);
    direction->sequence = 0;
    if (!direction->cipher) direction->cipher = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex2(direction->cipher, aes, material, NULL, encrypts, NULL);
}

static void next_nonce(struct direction *direction, uint8_t *nonce) {
    memcpy(nonce, direction->nonce, NONCE);
    for (int i = 0; i < 8; i++) nonce[NONCE - 1 - i] ^= direction->sequence >> (8 * i);
    direction->sequence++;
}

/* Appends a record to `out`; its length. */
static size_t seal(struct direction *direction, int type, const void *data, size_t length, uint8_t *out) {
    uint8_t nonce[NONCE], last = type;
    int written;
    size_t whole = length + 1 + TAG;
    uint8_t head[5] = {DATA, 3, 3, whole >> 8, whole};
    memcpy(out, head, 5);
    next_nonce(direction, nonce);
    EVP_EncryptInit_ex2(direction->cipher, NULL, NULL, nonce, NULL);
    EVP_EncryptUpdate(direction->cipher, NULL, &written, head, 5);
    EVP_EncryptUpdate(direction->cipher, out + 5, &written, data, length);
    EVP_EncryptUpdate(direction->cipher, out + 5 + length, &written, &last, 1);
    EVP_EncryptFinal_ex(direction->cipher, out, &written);
    EVP_CIPHER_CTX_ctrl(direction->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, out + 5 + length + 1);
    return 5 + whole;
}

/* Opens a record in place: the type of what is in it, and its length; -1 where it is not authentic. */
static int open_record(struct direction *direction, uint8_t *record, size_t *length) {
    uint8_t nonce[NONCE];
    int written;
    size_t inner = *length - TAG;
    next_nonce(direction, nonce);
    EVP_DecryptInit_ex2(direction->cipher, NULL, NULL, nonce, NULL);
    EVP_DecryptUpdate(direction->cipher, NULL, &written, record, 5);
    EVP_DecryptUpdate(direction->cipher, record + 5, &written, record + 5, inner);
    EVP_CIPHER_CTX_ctrl(direction->cipher, EVP_CTRL_AEAD_SET_TAG, TAG, record + 5 + inner);
    if (EVP_DecryptFinal_ex(direction->cipher, record + 5 + inner, &written) != 1) return -1;
    while (inner && !record[5 + inner - 1]) inner--;
    if (!inner) return -1;
    *length = inner - 1;
    return record[5 + inner - 1];
}

static uint8_t *put(uint8_t *at, size_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--) *at++ = value >> (8 * i);
    return at;
}

static uint8_t *extension(uint8_t *at, int type, const void *data, size_t length) {
    at = put(put(at, type, 2), length, 2);
    memcpy(at, data, length);
    return at + length;
}

#define EXTENSION(type, ...) at = extension(at, type, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static ssize_t send_hello(struct slot *slot) {
    uint8_t hello[4096], *at = hello + 5 + 4, *lengths;
    digest hash, zero = {0}, secret;
    at = put(at, 0x0303, 2);
    RAND_bytes(at, 32), at += 32;
    at = put(at, 0, 1);
    at = put(put(at, 2, 2), 0x1301, 2);
    at = put(at, 0x0100, 2);
    lengths = at, at += 2;
    EXTENSION(0, 0, 12, 0, 0, 9, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't');
    EXTENSION(43, 2, 3, 4);
    EXTENSION(10, 0, 2, 0, 0x1d);
    EXTENSION(13, 0, 6, 4, 3, 8, 4, 4, 1);
    EXTENSION(16, 0, 9, 8, 'h', 't', 't', 'p', '/', '1', '.', '1');
    EXTENSION(45, 1, 1);
    at = put(put(put(put(put(at, 51, 2), 38, 2), 36, 2), 0x1d, 2), 32, 2);
    memcpy(at, share, 32), at += 32;
    slot->resumes = resumed && held.length;
    if (slot->resumes) {
        at = put(put(at, 41, 2), 2 + 2 + held.length + 4 + 2 + 1 + HASH, 2);
        at = put(put(at, 2 + held.length + 4, 2), held.length, 2);
        memcpy(at, held.ticket, held.length), at += held.length;
        at = put(at, (uint32_t)(held.age_add + (uint32_t)((now() - held.since) * 1000)), 4);
        at += 2 + 1 + HASH;
    }
    size_t body = at - hello - 5 - 4;
    put(lengths, at - lengths - 2, 2);
    put(put(hello + 5, 1, 1), body, 3);
    put(put(put(hello, HANDSHAKE, 1), 0x0301, 2), body + 4, 2);
    hmac(zero, slot->resumes ? held.key : zero, HASH, slot->early);
    if (slot->resumes) {
        /* The binder: over the hello up to it, §4.2.11.2. */
        uint8_t *binders = at - 2 - 1 - HASH;
        digest bind, finished;
        empty_hash(hash);
        derive(slot->early, "res binder", hash, bind);
        expand(bind, "finished", NULL, 0, finished, HASH);
        SHA256(hello + 5, binders - hello - 5, hash);
        hmac(finished, hash, HASH, secret);
        memcpy(put(put(binders, 1 + HASH, 2), HASH, 1), secret, HASH);
    }
    SHA256_Init(&slot->transcript);
    SHA256_Update(&slot->transcript, hello + 5, at - hello - 5);
    return send(slot->socket, hello, at - hello, MSG_NOSIGNAL);
}

/* The keys of the handshake, from the server's share. */
static int take_server_hello(struct slot *slot, const uint8_t *message, size_t length) {
    const uint8_t *at = message + 4 + 2 + 32, *end = message + length, *theirs = NULL;
    at += 1 + at[0] + 2 + 1;
    if (memcmp(at - 3, "\x13\x01", 2)) return -1;
    slot->has_resumed = 0;
    for (at += 2; at + 4 <= end; at += 4 + (at[2] << 8 | at[3])) {
        if (at[0] == 0 && at[1] == 51) theirs = at + 8;
        if (at[0] == 0 && at[1] == 41) slot->has_resumed = 1;
    }
    if (!theirs) return -1;
    digest zero = {0}, hash, derived, shared;
    size_t count = sizeof shared;
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs, 32);
    int is_derived = EVP_PKEY_derive_set_peer_ex(exchange, peer, 0) == 1 && EVP_PKEY_derive(exchange, shared, &count) == 1;
    EVP_PKEY_free(peer);
    if (!is_derived) return -1;
    SHA256_Update(&slot->transcript, message, length);
    /* The ticket was presented and not taken: as if there were none. */
    if (slot->resumes && !slot->has_resumed) hmac(zero, zero, HASH, slot->early);
    empty_hash(hash);
    derive(slot->early, "derived", hash, derived);
    hmac(derived, shared, HASH, slot->handshake);
    hash_so_far(slot, hash);
    derive(slot->handshake, "c hs traffic", hash, slot->client);
    derive(slot->handshake, "s hs traffic", hash, slot->server);
    use(&slot->read, slot->server, 0);
    slot->phase = 1;
    slot->messages = 0;
    return 0;
}

/* Our Finished and the request, and the keys of what follows. */
static int take_finished(struct slot *slot, const uint8_t *message) {
    uint8_t out[2048], finished[4 + HASH] = {FINISHED, 0, 0, HASH};
    digest zero = {0}, hash, secret, derived;
    expand(slot->server, "finished", NULL, 0, secret, HASH);
    hash_so_far(slot, hash);
    hmac(secret, hash, HASH, derived);
    if (memcmp(derived, message + 4, HASH)) return -1;
    SHA256_Update(&slot->transcript, message, 4 + HASH);
    hash_so_far(slot, hash);
    expand(slot->client, "finished", NULL, 0, secret, HASH);
    hmac(secret, hash, HASH, finished + 4);
    use(&slot->write, slot->client, 1);
    size_t count = seal(&slot->write, HANDSHAKE, finished, sizeof finished, out);
    digest nothing;
    empty_hash(nothing);
    derive(slot->handshake, "derived", nothing, derived);
    hmac(derived, zero, HASH, slot->master);
    derive(slot->master, "c ap traffic", hash, slot->client);
    derive(slot->master, "s ap traffic", hash, slot->server);
    SHA256_Update(&slot->transcript, finished, sizeof finished);
    use(&slot->write, slot->client, 1);
    use(&slot->read, slot->server, 0);
    count += seal(&slot->write, DATA, request, strlen(request), out + count);
    slot->phase = 2;
    if (slot->resumes && !slot->has_resumed) told.unresumed++;
    return send(slot->socket, out, count, MSG_NOSIGNAL) == (ssize_t)count ? 0 : -1;
}

static void take_ticket(struct slot *slot, const uint8_t *message) {
    if (!resumed || held.length) return;
    const uint8_t *nonce = message + 4 + 8 + 1, *ticket = nonce + nonce[-1] + 2;
    digest hash;
    size_t length = ticket[-2] << 8 | ticket[-1];
    if (length > sizeof held.ticket) return;
    hash_so_far(slot, hash);
    derive(slot->master, "res master", hash, slot->resumption);
    expand(slot->resumption, "resumption", nonce, nonce[-1], held.key, HASH);
    memcpy(held.ticket, ticket, length);
    held.age_add = (uint32_t)message[8] << 24 | message[9] << 16 | message[10] << 8 | message[11];
    held.since = now();
    held.length = length;
}

/* The handshake messages that are whole. */
static int take_messages(struct slot *slot) {
    size_t at = 0;
    while (slot->messages - at >= 4) {
        uint8_t *message = slot->message + at;
        size_t length = 4 + (message[1] << 16 | message[2] << 8 | message[3]);
        if (slot->messages - at < length) break;
        at += length;
        if (slot->phase == 2) {
            if (message[0] == NEW_TICKET) take_ticket(slot, message);
        } else if (message[0] == FINISHED) {
            if (take_finished(slot, message)) return -1;
        } else {
            SHA256_Update(&slot->transcript, message, length);
        }
    }
    memmove(slot->message, slot->message + at, slot->messages -= at);
    return 0;
}

/* 0: more is needed; 1: answered; -1: failed. */
static int take_record(struct slot *slot, uint8_t *record, size_t length) {
    int type = record[0];
    if (slot->phase == 0) return type == HANDSHAKE && record[5] == SERVER_HELLO ? take_server_hello(slot, record + 5, length) : -1;
    if (type != DATA) return type == ALERT ? -1 : 0;
    if (length <= TAG || (type = open_record(&slot->read, record, &length)) < 0) return -1;
    if (type == DATA) return length > 12 && !memcmp(record + 5, "HTTP/1.1 200", 12) ? 1 : -1;
    if (type != HANDSHAKE || slot->messages + length > ROOM) return -1;
    memcpy(slot->message + slot->messages, record + 5, length);
    slot->messages += length;
    return take_messages(slot);
}

static int advance(struct slot *slot) {
    for (;;) {
        ssize_t count = recv(slot->socket, slot->buffer + slot->count, ROOM - slot->count, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return 0;
        if (count <= 0) return -1;
        slot->count += count;
        size_t at = 0;
        while (slot->count - at >= 5) {
            uint8_t *record = slot->buffer + at;
            size_t length = record[3] << 8 | record[4];
            if (slot->count - at < 5 + length) break;
            at += 5 + length;
            int result = take_record(slot, record, length);
            if (result) return result;
        }
        memmove(slot->buffer, slot->buffer + at, slot->count -= at);
    }
}

static void finish(struct slot *slot) {
    struct linger reset = {1, 0};
    setsockopt(slot->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(slot->socket);
}

static void begin(struct slot *slot) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
    slot->phase = 0, slot->count = 0, slot->messages = 0;
    /* Loopback connects at once, unless the server's queue is full: then this waits, like everybody. */
    slot->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(slot->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(slot->socket, (struct sockaddr *)&address, sizeof address)) told.failed++;
    if (send_hello(slot) <= 0) told.failed++;
    epoll_ctl(epoll, EPOLL_CTL_ADD, slot->socket, &event);
}

static void work(int count) {
    struct slot *slots = calloc(count, sizeof *slots);
    epoll = epoll_create1(0);
    /* The first one alone: it brings the ticket. */
    int open = resumed ? 1 : count;
    for (int i = 0; i < open; i++) begin(&slots[i]);
    while (now() < deadline) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 100);
        for (int i = 0; i < ready; i++) {
            struct slot *slot = events[i].data.ptr;
            int result = advance(slot);
            if (!result) continue;
            if (result > 0) told.done++;
            else told.failed++;
            finish(slot);
            begin(slot);
        }
        for (; open < count && held.length; open++) begin(&slots[open]);
    }
}

int main(int count, char **arguments) {
    if (count != 7) return 64;
    port = atoi(arguments[1]);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", arguments[2]);
    double seconds = atof(arguments[3]), begun = now();
    int connections = atoi(arguments[4]), processes = atoi(arguments[5]);
    resumed = !strcmp(arguments[6], "resumed");
    deadline = begun + seconds;
    size_t length = sizeof share;
    key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    aes = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    if (!key || !aes || EVP_PKEY_get_raw_public_key(key, share, &length) != 1) return 70;
    exchange = EVP_PKEY_CTX_new(key, NULL);
    if (EVP_PKEY_derive_init(exchange) != 1) return 70;
    int *results = calloc(processes, sizeof *results);
    for (int i = 0; i < processes; i++) {
        int ends[2];
        if (pipe(ends)) return 71;
        results[i] = ends[0];
        if (fork()) {
            close(ends[1]);
            continue;
        }
        work(connections / processes > 0 ? connections / processes : 1);
        _exit(write(ends[1], &told, sizeof told) != sizeof told);
    }
    struct told sum = {0};
    for (int i = 0; i < processes; i++) {
        if (read(results[i], &told, sizeof told) != sizeof told) return 70;
        sum.done += told.done, sum.failed += told.failed, sum.unresumed += told.unresumed;
    }
    /* Their processor time is then the caller's to read, as that of a child's child. */
    while (wait(NULL) > 0) continue;
    printf("{\"requests\":%ld,\"seconds\":%.6f,\"refused\":%ld,\"broken\":%ld}\n", sum.done, now() - begun, sum.unresumed, sum.failed);
    return 0;
}
