// Floating point, vectors, and memory that is copied.
#include <emmintrin.h>
#include <string.h>

#include "kernel.h"

// Packed single precision; small whole numbers, so that every order of additions gives the same sums.
enum { kSize = 512, kMatrixRounds = 6 };
static float left[kSize][kSize] __attribute__((aligned(16)));
static float right[kSize][kSize] __attribute__((aligned(16)));
static float product[kSize][kSize] __attribute__((aligned(16)));
uint64_t matrix(void) {
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

// Scalar double precision: a matrix product, one multiplication and one addition at a time.
enum { kDoubleSize = 200, kDoubleRounds = 24 };
static double first[kDoubleSize][kDoubleSize], second[kDoubleSize][kDoubleSize], third[kDoubleSize][kDoubleSize];
__attribute__((optimize("no-tree-vectorize"))) uint64_t doubles(void) {
  for (unsigned i = 0; i < kDoubleSize; ++i) {
    for (unsigned k = 0; k < kDoubleSize; ++k) {
      first[i][k] = (double)(next_random() & 15);
      second[i][k] = (double)(next_random() & 15);
      third[i][k] = 0;
    }
  }
  for (unsigned round = 0; round < kDoubleRounds; ++round) {
    for (unsigned i = 0; i < kDoubleSize; ++i) {
      for (unsigned j = 0; j < kDoubleSize; ++j) {
        double sum = 0;
        for (unsigned k = 0; k < kDoubleSize; ++k) sum += first[i][k] * second[k][j];
        third[i][j] += sum;
      }
    }
  }
  double sum = 0;
  for (unsigned i = 0; i < kDoubleSize; ++i) {
    for (unsigned k = 0; k < kDoubleSize; ++k) sum += third[i][k] * (double)((i + k) & 7);
  }
  return (uint64_t)sum;
}

// Extended precision on the x87 stack.
enum { kX87Steps = 30000000 };
uint64_t x87(void) {
  volatile long double seed = 1.5L;
  long double x = seed, sum = 0;
  for (unsigned i = 0; i < kX87Steps; ++i) {
    x = x * 1.25L + 0.5L;
    if (x > 1000.0L) x = x / 512.0L;
    sum += x;
  }
  return (uint64_t)(sum * 1024.0L);
}

// Packed bytes: sums of absolute differences, saturating additions, maxima.
enum { kBytes = 1 << 16, kByteRounds = 15000 };
static uint8_t here[kBytes] __attribute__((aligned(16))), there[kBytes] __attribute__((aligned(16)));
uint64_t bytes(void) {
  for (unsigned i = 0; i < kBytes; ++i) {
    here[i] = (uint8_t)next_random();
    there[i] = (uint8_t)next_random();
  }
  __m128i sum = _mm_setzero_si128();
  for (unsigned round = 0; round < kByteRounds; ++round) {
    const __m128i offset = _mm_set1_epi8((char)round);
    for (unsigned i = 0; i < kBytes; i += 16) {
      const __m128i a = _mm_load_si128((const __m128i*)&here[i]), b = _mm_load_si128((const __m128i*)&there[i]);
      sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_adds_epu8(a, offset), _mm_max_epu8(b, offset)));
    }
  }
  return (uint64_t)_mm_cvtsi128_si64(sum) + (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sum, sum));
}

// memcpy() of 1 MiB.
enum { kCopyBytes = 1 << 20, kCopies = 3000 };
static uint8_t from[kCopyBytes + 64], to[kCopyBytes + 64];
uint64_t copying(void) {
  for (unsigned i = 0; i < kCopyBytes; ++i) from[i] = (uint8_t)next_random();
  uint64_t sum = 0;
  for (unsigned i = 0; i < kCopies; ++i) {
    from[i] ^= (uint8_t)i;
    memcpy(to, from, kCopyBytes);
    sum = sum * 31 + to[i];
  }
  return sum;
}
