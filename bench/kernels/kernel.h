// Kernels: functions that return a checksum of what they computed, the same wherever they run.
#pragma once

#include <stdint.h>

// A linear congruential generator, started anew for each kernel.
extern uint32_t random_state;
static inline uint32_t next_random(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

// integer.c
uint64_t calls(void);
uint64_t sieve(void);
uint64_t crc32(void);
uint64_t quicksort(void);
uint64_t indirect(void);
// numbers.c
uint64_t matrix(void);
uint64_t doubles(void);
uint64_t x87(void);
uint64_t bytes(void);
uint64_t copying(void);
// system.c
uint64_t getppid_calls(void);
uint64_t page_faults(void);
uint64_t forks(void);
uint64_t pipe_rounds(void);
