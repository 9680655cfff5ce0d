/* Lets every sync of a process take longer: a disk of a data centre, or a replica to wait for.
   Loaded before the C library by LD_PRELOAD; SYNC_NS comes from the compiler's command line. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void wait_a_while(void) {
    struct timespec time = { SYNC_NS / 1000000000L, SYNC_NS % 1000000000L };
    while (nanosleep(&time, &time) != 0) {
    }
}

typedef int (*sync_function)(int);

static int slowly(const char *name, int file) {
    sync_function sync = (sync_function)dlsym(RTLD_NEXT, name);
    wait_a_while();
    return sync(file);
}

int fsync(int file) { return slowly("fsync", file); }

int fdatasync(int file) { return slowly("fdatasync", file); }
