/* Loaded before the C library: the N-th allocation of a process fails, or all from there on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

static atomic_ulong made;
static unsigned long fails_at; /* 0: none does */
static int for_ever;
static const char* told; /* file that gets the number of allocations at the end */

__attribute__((constructor)) static void begin(void) {
  const char* at = getenv("NTH_ALLOCATION");
  fails_at = at ? strtoul(at, NULL, 10) : 0;
  for_ever = getenv("NTH_ALLOCATION_FOR_EVER") != NULL;
  told = getenv("NTH_ALLOCATION_TOLD");
  atomic_store(&made, 0);
}

__attribute__((destructor)) static void end(void) {
  char text[32];
  if (!told) return;
  const int file = open(told, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int length = snprintf(text, sizeof text, "%lu\n", atomic_load(&made));
  if (write(file, text, (size_t)length) < 0) _exit(99);
  close(file);
}

static int fails(void) {
  const unsigned long number = atomic_fetch_add(&made, 1) + 1;
  if (!fails_at || (for_ever ? number < fails_at : number != fails_at)) return 0;
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t bytes) { return fails() ? NULL : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return fails() ? NULL : __libc_calloc(count, bytes); }
void* realloc(void* at, size_t bytes) { return fails() ? NULL : __libc_realloc(at, bytes); }
void* memalign(size_t unit, size_t bytes) { return fails() ? NULL : __libc_memalign(unit, bytes); }
void* aligned_alloc(size_t unit, size_t bytes) { return memalign(unit, bytes); }

int posix_memalign(void** at, size_t unit, size_t bytes) {
  void* memory = memalign(unit, bytes);
  if (!memory) return ENOMEM;
  *at = memory;
  return 0;
}

void* mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  if ((flags & MAP_ANONYMOUS) && fails()) return MAP_FAILED;
  return (void*)syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
}
