/* Preloaded, this sets a program's clock off the machine's by CLOCK_OFF_SECONDS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(clock, now);
    const char *off = getenv("CLOCK_OFF_SECONDS");
    if (answer == 0 && clock == CLOCK_REALTIME && off) now->tv_sec += atol(off);
    return answer;
}
