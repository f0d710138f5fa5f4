// What bench/smp runs in the guest and on the host.
// Usage: parallel KIND WORKERS. So many threads, each on a processor of its own, work for a second; prints how much work they
// did, all together.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kWorkers = 16, kMilliseconds = 1000, kTable = 4096 };

struct Worker {
  pthread_t thread;
  unsigned number;
  uint64_t done;
  uint32_t table[kTable];
  _Alignas(64) _Atomic uint64_t own;
};

static struct Worker workers[kWorkers];
static _Alignas(64) _Atomic uint64_t shared;
static atomic_int end;
static int kind;
static pthread_barrier_t start;

// A few microseconds: arithmetic, loads and stores all over a table, calls.
static __attribute__((noinline)) uint32_t mix(uint32_t value) { return value * 1664525u + 1013904223u; }
static void compute(struct Worker* worker) {
  uint32_t value = (uint32_t)worker->done;
  for (unsigned i = 0; i < 1000; ++i) {
    value = mix(value);
    worker->table[value >> 20] += value ^ worker->table[i];
  }
}

static void* work(void* argument) {
  struct Worker* worker = argument;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(worker->number, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) abort();
  pthread_barrier_wait(&start);
  while (!atomic_load_explicit(&end, memory_order_relaxed)) {
    if (kind == 'c') compute(worker);
    if (kind == 'o') for (unsigned i = 0; i < 1000; ++i) atomic_fetch_add(&worker->own, 1);
    if (kind == 's') for (unsigned i = 0; i < 1000; ++i) atomic_fetch_add(&shared, 1);
    ++worker->done;
  }
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  kind = argv[1][0];  // compute, own counters, shared counter
  const unsigned count = (unsigned)atoi(argv[2]);
  if (count == 0 || count > kWorkers || strchr("cos", kind) == NULL) return 2;
  pthread_barrier_init(&start, NULL, count + 1);
  for (unsigned i = 0; i < count; ++i) {
    workers[i].number = i;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) return 1;
  }
  pthread_barrier_wait(&start);
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  const struct timespec pause = {kMilliseconds / 1000, kMilliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &to);
  atomic_store(&end, 1);
  uint64_t done = 0;
  for (unsigned i = 0; i < count; ++i) {
    pthread_join(workers[i].thread, NULL);
    done += workers[i].done;
  }
  const double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
  printf("%.1f\n", (double)done / seconds);
  return 0;
}
