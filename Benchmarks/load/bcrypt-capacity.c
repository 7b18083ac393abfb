/* What this machine can hash: crypt(3) at the given cost on so many threads for so many seconds. Prints hashes per second.
   Built and run by `make bench`: bcrypt-capacity COST THREADS SECONDS */
#define _GNU_SOURCE
#include <crypt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char setting[64];
static double end;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Hashes until the time is over. The rate counts whole hashes against the time they took, so that none is cut in two. */
static void *hash(void *rate) {
    struct crypt_data *data = calloc(1, sizeof *data);
    double begun = now(), ended = begun;
    long count = 0;
    while (ended < end) {
        if (!data || !crypt_r("Correct-Horse-9-battery", setting, data)) exit(1);
        count++;
        ended = now();
    }
    *(double *)rate = count / (ended - begun);
    free(data);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    int threads = atoi(arguments[2]);
    snprintf(setting, sizeof setting, "$2b$%02d$abcdefghijklmnopqrstuu", atoi(arguments[1]));
    end = now() + atof(arguments[3]);
    pthread_t ids[threads];
    double rates[threads], total = 0;
    for (int n = 0; n < threads; n++) pthread_create(&ids[n], NULL, hash, &rates[n]);
    for (int n = 0; n < threads; n++) {
        pthread_join(ids[n], NULL);
        total += rates[n];
    }
    printf("%.2f\n", total);
    return 0;
}
