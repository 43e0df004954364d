// A disk whose syncs take BENCH_SYNC_US microseconds longer: preloaded, it waits before it lets each sync through. Compiled when it is measured.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_a_while(void) {
  static long micros = -1;
  if (micros < 0) micros = getenv("BENCH_SYNC_US") ? atol(getenv("BENCH_SYNC_US")) : 0;
  if (micros > 0) usleep(micros);
}

int fsync(int file) {
  static int (*real)(int) = 0;
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_a_while();
  return real(file);
}

int fdatasync(int file) {
  static int (*real)(int) = 0;
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_a_while();
  return real(file);
}
