// What a kernel does for programs.
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

static void must(int fine) {
  if (!fine) abort();
}

enum { kGetppidCalls = 400000 };
uint64_t getppid_calls(void) {
  uint64_t same = 0;
  const long parent = getppid();
  for (unsigned i = 0; i < kGetppidCalls; ++i) same += syscall(SYS_getppid) == parent;
  return same;
}

// First touches of anonymous memory, in small pages.
enum { kFaultPages = 2000, kFaultRounds = 10 };
uint64_t page_faults(void) {
  uint64_t sum = 0;
  for (unsigned round = 0; round < kFaultRounds; ++round) {
    char* memory = mmap(NULL, kFaultPages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED);
    madvise(memory, kFaultPages * 4096, MADV_NOHUGEPAGE);
    for (unsigned page = 0; page < kFaultPages; ++page) sum += ++memory[page * 4096];
    munmap(memory, kFaultPages * 4096);
  }
  return sum;
}

// fork(), exec() of this program, which exits at once, and wait().
enum { kForks = 150 };
uint64_t forks(void) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    must(child >= 0);
    if (child == 0) {
      execl("/proc/self/exe", "kernels", "exit", (char*)NULL);
      _exit(127);
    }
    int status = 0;
    must(waitpid(child, &status, 0) == child);
    sum += (uint64_t)WEXITSTATUS(status);
  }
  return sum;
}

// One byte to another process and back.
enum { kPipeRounds = 12000 };
uint64_t pipe_rounds(void) {
  int there[2], back[2];
  must(pipe(there) == 0 && pipe(back) == 0);
  const pid_t child = fork();
  must(child >= 0);
  char byte = 0;
  if (child == 0) {
    close(there[1]);
    while (read(there[0], &byte, 1) == 1) {
      ++byte;
      must(write(back[1], &byte, 1) == 1);
    }
    _exit(0);
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < kPipeRounds; ++i) {
    must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1);
    sum += (uint8_t)byte;
  }
  close(there[0]), close(there[1]), close(back[0]), close(back[1]);
  must(waitpid(child, NULL, 0) == child);
  return sum;
}
