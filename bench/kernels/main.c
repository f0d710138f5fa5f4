// What bench/cpu runs in both guests and on the host.
// Usage: kernels [NAME...]. Prints `NAME SECONDS CHECKSUM` for each kernel; SECONDS by CLOCK_MONOTONIC.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernel.h"

uint32_t random_state;

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int is_wanted(const char* name, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], name) == 0) return 1;
  }
  return argc == 1;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    uint64_t (*run)(void);
  } kernels[] = {{"calls", calls},         {"sieve", sieve},         {"crc32", crc32},
                 {"quicksort", quicksort}, {"indirect", indirect},   {"matrix", matrix},
                 {"double", doubles},      {"x87", x87},             {"bytes", bytes},
                 {"memcpy", copying},      {"getppid", getppid_calls}, {"fault", page_faults},
                 {"fork", forks},          {"pipe", pipe_rounds}};
  if (argc == 2 && strcmp(argv[1], "exit") == 0) return 7;
  for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; ++i) {
    if (!is_wanted(kernels[i].name, argc, argv)) continue;
    random_state = 1;
    const double start = now_s();
    const uint64_t checksum = kernels[i].run();
    printf("%s %.4f %016llx\n", kernels[i].name, now_s() - start, (unsigned long long)checksum);
    fflush(stdout);
  }
  return 0;
}
