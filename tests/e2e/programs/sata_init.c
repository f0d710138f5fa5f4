// The only program of a guest that tries its SATA drives. What it prints is what the test reads.
// On a disk without the pattern it writes that, flushes, says so, and goes on writing elsewhere until somebody pulls the plug.
// With it, it reads all of it; then TRIM, the CD, and a disk that comes and goes.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kChunk = 1 << 20, kChunks = 48, kPolls = 1200, kCdSector = 2048, kVolumeAt = 16 * kCdSector + 40 };
static uint64_t chunk[kChunk / sizeof(uint64_t)];

static void fail(const char* what) {
  perror(what);
  printf("sata: FAILED\n");
  fflush(stdout);
  reboot(RB_POWER_OFF);
}

static void fill(uint64_t number) {
  for (size_t i = 0; i < kChunk / sizeof chunk[0]; ++i) chunk[i] = (number << 32 | i) * 0x9E3779B97F4A7C15u;
}

static void load_modules(void) {
  char name[32];
  for (int i = 0;; ++i) {
    snprintf(name, sizeof name, "/modules/%02d.ko", i);
    const int file = open(name, O_RDONLY);
    if (file < 0) return;
    if (syscall(SYS_finit_module, file, "", 0) != 0) fail(name);
    close(file);
  }
}

static void wait_for(const char* path) {
  for (int i = 0; i < kPolls; ++i) {
    if (access(path, F_OK) == 0) return;
    usleep(100000);
  }
  fail(path);
}

// Names of disks are given in the order in which they answer: the one at a port is found by its place in sysfs.
static int has_disk(const char* port, char* path) {
  char name[32], link[512];
  for (char letter = 'a'; letter <= 'h'; ++letter) {
    snprintf(name, sizeof name, "/sys/block/sd%c", letter);
    const ssize_t length = readlink(name, link, sizeof link - 1);
    if (length <= 0) continue;
    link[length] = 0;
    if (strstr(link, port) == NULL) continue;
    sprintf(path, "/dev/sd%c", letter);
    return 1;
  }
  return 0;
}

static void wait_for_disk(const char* port, int there, char* path) {
  for (int i = 0; i < kPolls; ++i) {
    if (has_disk(port, path) == there) return;
    usleep(100000);
  }
  fail(port);
}

static void print_lines(const char* path, const char* with) {
  char line[512];
  FILE* file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (strstr(line, with) != NULL) printf("sata: %s", line);
  }
  if (file != NULL) fclose(file);
}

static void write_until_the_end(int disk) {
  for (uint64_t i = 0; i < kChunks; ++i) {
    fill(i);
    if (pwrite(disk, chunk, kChunk, i * kChunk) != kChunk) fail("write");
  }
  if (fsync(disk) != 0) fail("flush");
  printf("sata: flushed\n");
  fflush(stdout);
  for (uint64_t i = kChunks;; ++i) {
    fill(~i);
    if (pwrite(disk, chunk, kChunk, (kChunks + i % kChunks) * kChunk) != kChunk) fail("write on");
  }
}

static void check_pattern(int disk) {
  static uint64_t wanted[kChunk / sizeof(uint64_t)];
  for (uint64_t i = 0; i < kChunks; ++i) {
    fill(i);
    memcpy(wanted, chunk, kChunk);
    if (pread(disk, chunk, kChunk, i * kChunk) != kChunk) fail("read");
    if (memcmp(wanted, chunk, kChunk) != 0) fail("the pattern");
  }
  printf("sata: the pattern is there\n");
}

static void check_cd(void) {
  char volume[33] = {0};
  wait_for("/dev/sr0");
  const int cd = open("/dev/sr0", O_RDONLY);
  if (cd < 0 || pread(cd, volume, 32, kVolumeAt) != 32) fail("the CD");
  printf("sata: CD %s\n", volume);
  close(cd);
}

static int has_pattern(int disk) {
  uint64_t found[8];
  fill(0);
  if (pread(disk, found, sizeof found, 0) != sizeof found) fail("read");
  return memcmp(found, chunk, sizeof found) == 0;
}

static void watch_a_disk(void) {
  char path[32];
  printf("sata: plug a disk\n");
  fflush(stdout);
  wait_for_disk("/ata3/", 1, path);
  printf("sata: it came\n");
  fflush(stdout);
  wait_for_disk("/ata3/", 0, path);
  printf("sata: it went\n");
}

int main(void) {
  char path[32];
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sys", "/sys", "sysfs", 0, NULL);
  load_modules();
  wait_for_disk("/ata1/", 1, path);
  wait_for(path);
  const int disk = open(path, O_RDWR);
  if (disk < 0) fail(path);
  print_lines("/proc/interrupts", "ahci");
  if (!has_pattern(disk)) write_until_the_end(disk);
  check_pattern(disk);
  uint64_t range[2] = {64 << 20, 8 << 20};
  if (ioctl(disk, BLKDISCARD, range) != 0) fail("TRIM");
  printf("sata: trimmed\n");
  check_cd();
  watch_a_disk();
  printf("sata: done\n");
  fflush(stdout);
  reboot(RB_POWER_OFF);
}
