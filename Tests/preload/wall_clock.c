/* The wall clock of the process that this is preloaded into is told by eight bytes of a file, while it runs:
 *
 *     MOVED_CLOCK_FILE    so many seconds after the machine's clock
 *     STILL_CLOCK_FILE    stands at so many microseconds since 1970, until somebody writes others
 *
 * The monotonic clocks go on in both. libfaketime would do for the first, but for timers: it takes the offset from absolute times of every
 * clock, the monotonic ones too, and a server that sleeps for a second sleeps for ever.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset, *moment;

static const volatile int64_t *mapped(const char *variable) {
    const char *path = getenv(variable);
    if (!path) return NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED) abort();
    close(file);
    return bytes;
}

__attribute__((constructor)) static void open_files(void) {
    offset = mapped("MOVED_CLOCK_FILE");
    moment = mapped("STILL_CLOCK_FILE");
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (is_wall && moment) {
        int64_t now = *moment;
        time->tv_sec = now / 1000000;
        time->tv_nsec = now % 1000000 * 1000;
        return 0;
    }
    int result = syscall(SYS_clock_gettime, clock, time);
    if (!result && is_wall && offset) time->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
