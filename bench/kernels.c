// What bench/cpu runs in both guests and on the host: five integer kernels and a packed SSE matrix product.
// Usage: kernels [ROUNDS]. Prints `NAME SECONDS CHECKSUM` for each kernel and round; SECONDS by CLOCK_MONOTONIC.
#include <emmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t random_state;
static uint32_t next_random(void) {
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

// Calls and returns.
__attribute__((noinline)) static uint64_t fibonacci(unsigned n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
static uint64_t calls(void) { return fibonacci(38); }

// Strided bytes in memory that exceeds the first caches.
enum { kSieveSize = 4000000, kSieveRounds = 12 };
static uint8_t composite[kSieveSize];
static uint64_t sieve(void) {
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
static uint64_t crc32(void) {
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
static uint64_t quicksort(void) {
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
static uint64_t indirect(void) {
  uint64_t x = 1;
  for (unsigned i = 0; i < kIndirectCalls; ++i) x = operations[(i ^ x >> 60) & 7](x);
  return x;
}

// Packed single precision; small whole numbers, so that every order of additions gives the same sums.
enum { kSize = 512, kMatrixRounds = 6 };
static float left[kSize][kSize] __attribute__((aligned(16)));
static float right[kSize][kSize] __attribute__((aligned(16)));
static float product[kSize][kSize] __attribute__((aligned(16)));
static uint64_t matrix(void) {
  for (unsigned i = 0; i < kSize; ++i) {
    for (unsigned k = 0; k < kSize; ++k) {
      left[i][k] = (float)(next_random() & 15);
      right[i][k] = (float)(next_random() & 15);
    }
  }
  memset(product, 0, sizeof product);
  for (unsigned round = 0; round < kMatrixRounds; ++round) {
    for (unsigned i = 0; i < kSize; ++i) {
      for (unsigned j = 0; j < kSize; j += 16) {
        __m128 a = _mm_setzero_ps(), b = a, c = a, d = a;
        for (unsigned k = 0; k < kSize; ++k) {
          const __m128 factor = _mm_set1_ps(left[i][k]);
          const float* row = &right[k][j];
          a = _mm_add_ps(a, _mm_mul_ps(factor, _mm_load_ps(row)));
          b = _mm_add_ps(b, _mm_mul_ps(factor, _mm_load_ps(row + 4)));
          c = _mm_add_ps(c, _mm_mul_ps(factor, _mm_load_ps(row + 8)));
          d = _mm_add_ps(d, _mm_mul_ps(factor, _mm_load_ps(row + 12)));
        }
        float* out = &product[i][j];
        _mm_store_ps(out, _mm_add_ps(_mm_load_ps(out), a));
        _mm_store_ps(out + 4, _mm_add_ps(_mm_load_ps(out + 4), b));
        _mm_store_ps(out + 8, _mm_add_ps(_mm_load_ps(out + 8), c));
        _mm_store_ps(out + 12, _mm_add_ps(_mm_load_ps(out + 12), d));
      }
    }
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < kSize; ++i) {
    for (unsigned j = 0; j < kSize; ++j) sum = sum * 31 + (uint64_t)product[i][j];
  }
  return sum;
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char** argv) {
  static const struct {
    const char* name;
    uint64_t (*run)(void);
  } kernels[] = {{"calls", calls},         {"sieve", sieve},       {"crc32", crc32},
                 {"quicksort", quicksort}, {"indirect", indirect}, {"matrix", matrix}};
  const int rounds = argc > 1 ? atoi(argv[1]) : 1;
  for (int round = 0; round < rounds; ++round) {
    for (unsigned i = 0; i < sizeof kernels / sizeof *kernels; ++i) {
      random_state = 1;
      const double start = now_s();
      const uint64_t checksum = kernels[i].run();
      printf("%s %.4f %016llx\n", kernels[i].name, now_s() - start, (unsigned long long)checksum);
      fflush(stdout);
    }
  }
  return 0;
}
