/*
 * What the operating system knows: processors, memory, names. One file per
 * system behind it (os_linux.c, os_darwin.c); os.c holds what they share.
 * All functions may be called from any thread.
 */
#ifndef ENGINE_BASE_OS_H
#define ENGINE_BASE_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Threads worth starting for compute: physical cores (SMT siblings counted once) that
 * this process may run on, and no more than a cgroup's CPU quota allows. At least 1.
 */
int os_compute_threads(void);
/*
 * Binds the calling thread to the i-th of those cores (modulo their number), for measuring: threads that
 * wake each other may else be put on one core. os_unpin() gives it back what it had before. Without effect
 * where the system has no such call.
 */
void os_pin(int i);
void os_unpin(void);
/* The calling thread, and those it starts, get what time the others leave over, for good: there is no way back. */
void os_idle_priority(void);
/*
 * Starts a thread as pthread_create() does, with a stack of at least OS_STACK bytes: kernels keep what they work on there,
 * 400 KB at most, and systems give threads as little as 128 KiB. -1: it cannot be started. os_want_stack() sees to the
 * same for the first thread, before it goes deep: false where its limit is below half of that and may not be raised.
 */
enum { OS_STACK = 2 << 20 };
int os_thread(pthread_t *id, void *(*fn)(void *), void *arg);
bool os_want_stack(void);
/* Physical memory and what can be had without swapping (a cgroup's limit included), bytes; 0 unknown. */
uint64_t os_mem_total(void);
uint64_t os_mem_available(void);
/* Resident set of this process now and at its peak, bytes, as the kernel counts it. */
size_t os_rss(void);
size_t os_rss_peak(void);
/*
 * The parts of that which nobody else counts: bytes that the allocator has handed out, and pages of the
 * program and its libraries. SIZE_MAX when the system does not tell.
 */
size_t os_heap(void);
size_t os_image(void);
/*
 * Bytes of [p, p+n) that this process has in memory: what of a mapped file only the system holds does
 * not count. SIZE_MAX when the system does not tell.
 */
size_t os_resident(const void *p, size_t n);
/* Gives the pages of a file mapping back; they are read again when touched. */
void os_drop(const void *p, size_t n);
/* A hint: memory of ours that is better had in huge pages, where the system has a choice. Whole huge pages, aligned. */
void os_want_huge(void *p, size_t n);
/* Bytes that can still be written where `path` is, by blocks; UINT64_MAX when the system does not tell, or sets no bound. */
uint64_t os_disk_free(const char *path, uint64_t *block);
/* What was freed goes back to the system now: for after something large, the allocator keeps it otherwise. */
void os_give_back(void);
/*
 * For the begin of a program that frees much: large pieces stay apart from the rest, however many of them were freed
 * before, and no thread's heap keeps a large end.
 */
void os_large_apart(void);
/* The processor's name as people know it, or "unknown". Static memory. */
const char *os_cpu_name(void);
/* Whether an ARM processor multiplies bytes by dot products, which only the system can tell; false on others. */
bool os_has_dotprod(void);
/* Asks the system for tile registers, for all threads from now on: false where it has none to give. */
bool os_allow_amx(void);
/* CLOCK_MONOTONIC in nanoseconds: the only clock that figures are made from. */
int64_t os_now_ns(void);
/* A hint to a spinning loop. */
static inline void os_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
