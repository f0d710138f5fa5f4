// Five integer kernels.
#include <string.h>

#include "kernel.h"

// Calls and returns.
__attribute__((noinline)) static uint64_t fibonacci(unsigned n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
uint64_t calls(void) { return fibonacci(38); }

// Strided bytes in memory that exceeds the first caches.
enum { kSieveSize = 4000000, kSieveRounds = 12 };
static uint8_t composite[kSieveSize];
uint64_t sieve(void) {
  uint64_t primes = 0;
  for (unsigned round = 0; round < kSieveRounds; ++round) {
    memset(composite, 0, sizeof composite);
    for (uint32_t i = 2; i < kSieveSize; ++i) {
      if (composite[i]) continue;
      ++primes;
      for (uint64_t k = (uint64_t)i * i; k < kSieveSize; k += i) composite[k] = 1;
    }
  }
  return primes;
}

// A chain of dependent loads from a table of 1 KiB.
enum { kCrcBytes = 1 << 20, kCrcRounds = 160 };
static uint8_t message[kCrcBytes];
uint64_t crc32(void) {
  uint32_t table[256];
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (unsigned bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
    table[i] = value;
  }
  for (unsigned i = 0; i < kCrcBytes; ++i) message[i] = (uint8_t)next_random();
  uint32_t crc = 0xFFFFFFFFu;
  for (unsigned round = 0; round < kCrcRounds; ++round) {
    for (unsigned i = 0; i < kCrcBytes; ++i) crc = table[(crc ^ message[i]) & 255] ^ crc >> 8;
  }
  return crc ^ 0xFFFFFFFFu;
}

// Branches that nobody predicts.
enum { kSortSize = 4000000 };
static uint32_t numbers[kSortSize];
static void sort(uint32_t* first, uint32_t* last) {
  while (last - first > 0) {
    const uint32_t pivot = first[(last - first) / 2];
    uint32_t *low = first, *high = last;
    while (low <= high) {
      while (*low < pivot) ++low;
      while (*high > pivot) --high;
      if (low <= high) {
        const uint32_t swapped = *low;
        *low++ = *high;
        *high-- = swapped;
      }
    }
    sort(first, high);
    first = low;
  }
}
uint64_t quicksort(void) {
  for (unsigned i = 0; i < kSortSize; ++i) numbers[i] = next_random();
  sort(numbers, numbers + kSortSize - 1);
  uint64_t sum = 0;
  for (unsigned i = 0; i < kSortSize; ++i) sum = sum * 31 + numbers[i];
  return sum;
}

// Calls through a table, in an order that changes.
enum { kIndirectCalls = 60000000 };
typedef uint64_t (*Operation)(uint64_t);
#define OPERATION(name, expression) \
  __attribute__((noinline)) static uint64_t name(uint64_t x) { return expression; }
OPERATION(add, x + 0x9E3779B97F4A7C15u)
OPERATION(rotate, x << 13 | x >> 51)
OPERATION(invert, ~x)
OPERATION(multiply, x * 0xD1342543DE82EF95u)
OPERATION(fold, x ^ x >> 29)
OPERATION(subtract, x - 0x632BE59BD9B4E019u)
OPERATION(swap, __builtin_bswap64(x))
OPERATION(spread, x ^ x << 17)
static Operation volatile operations[8] = {add, rotate, invert, multiply, fold, subtract, swap, spread};
uint64_t indirect(void) {
  uint64_t x = 1;
  for (unsigned i = 0; i < kIndirectCalls; ++i) x = operations[(i ^ x >> 60) & 7](x);
  return x;
}
