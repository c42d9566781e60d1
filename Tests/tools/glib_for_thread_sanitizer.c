/* Tells the thread sanitizer what locks of GLib, GStreamer and Swift's library order. To be compiled by Clang.
 *
 * The sanitizer sees the locks of programs that it compiled, and those of pthread. GLib's mutexes are futexes in a library that it
 * did not compile, so without this every value that one GStreamer thread hands to another would be reported. Preloaded, these
 * functions stand before the libraries' own: each calls the real one and says what it ordered. What only GStreamer's reference
 * counts order is said for unref.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));

static void acquire(void *of) { if (__tsan_acquire && of) __tsan_acquire(of); }
static void release(void *of) { if (__tsan_release && of) __tsan_release(of); }

/* The library's own function of this name, looked up once; two threads that look it up at once find the same. */
#define REAL(name) \
  static void *found_##name; \
  void *address_##name = __atomic_load_n(&found_##name, __ATOMIC_RELAXED); \
  if (!address_##name) { \
    address_##name = dlsym(RTLD_NEXT, #name); \
    __atomic_store_n(&found_##name, address_##name, __ATOMIC_RELAXED); \
  } \
  __typeof__(&name) real = (__typeof__(&name)) address_##name

#define LOCKS(name) void name(void *lock) { REAL(name); real(lock); acquire(lock); }
#define TRIES(name) int name(void *lock) { REAL(name); int has = real(lock); if (has) acquire(lock); return has; }
#define UNLOCKS(name) void name(void *lock) { REAL(name); release(lock); real(lock); }

LOCKS(g_mutex_lock) TRIES(g_mutex_trylock) UNLOCKS(g_mutex_unlock)
LOCKS(g_rec_mutex_lock) TRIES(g_rec_mutex_trylock) UNLOCKS(g_rec_mutex_unlock)
LOCKS(g_rw_lock_writer_lock) TRIES(g_rw_lock_writer_trylock) UNLOCKS(g_rw_lock_writer_unlock)
LOCKS(g_rw_lock_reader_lock) TRIES(g_rw_lock_reader_trylock) UNLOCKS(g_rw_lock_reader_unlock)
UNLOCKS(g_cond_signal) UNLOCKS(g_cond_broadcast)

void g_cond_wait(void *condition, void *lock) {
  REAL(g_cond_wait);
  release(lock);
  real(condition, lock);
  acquire(lock);
  acquire(condition);
}

int g_cond_wait_until(void *condition, void *lock, long long end) {
  REAL(g_cond_wait_until);
  release(lock);
  int woken = real(condition, lock, end);
  acquire(lock);
  acquire(condition);
  return woken;
}

/* What one thread did with an object comes before another frees it. */
#define FREES(name) void name(void *object) { REAL(name); release(object); acquire(object); real(object); }

FREES(gst_mini_object_unref) FREES(gst_object_unref) FREES(g_object_unref) FREES(g_bytes_unref)

/* Buffers that a pool lends again, and messages, go through queues without locks. */
int gst_buffer_pool_acquire_buffer(void *pool, void **buffer, void *params) {
  REAL(gst_buffer_pool_acquire_buffer);
  int flow = real(pool, buffer, params);
  if (flow == 0) acquire(*buffer);
  return flow;
}

int gst_bus_post(void *bus, void *message) {
  REAL(gst_bus_post);
  release(bus);
  return real(bus, message);
}

void *gst_bus_timed_pop_filtered(void *bus, unsigned long long limit, int types) {
  REAL(gst_bus_timed_pop_filtered);
  void *message = real(bus, limit, types);
  acquire(bus);
  return message;
}

/* GThread starts and joins through pthread, which the sanitizer sees; what once-initialisation orders it does not. */
int g_once_init_enter(void *location) {
  REAL(g_once_init_enter);
  int isFirst = real(location);
  if (!isFirst) acquire(location);
  return isFirst;
}

void g_once_init_leave(void *location, size_t result) {
  REAL(g_once_init_leave);
  release(location);
  real(location, result);
}

void g_async_queue_push(void *queue, void *item) {
  REAL(g_async_queue_push);
  release(queue);
  real(queue, item);
}

#define POPS(name) void *name(void *queue) { REAL(name); void *item = real(queue); acquire(queue); return item; }
POPS(g_async_queue_pop) POPS(g_async_queue_try_pop)

void *g_async_queue_timeout_pop(void *queue, unsigned long long limit) {
  REAL(g_async_queue_timeout_pop);
  void *item = real(queue, limit);
  acquire(queue);
  return item;
}

/* Swift's Mutex is an atomic that its users' code has inside, which the sanitizer sees, until two threads meet: then the kernel hands it
 * over in Swift's library.
 */
#define SLOW_LOCK $s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF
#define SLOW_UNLOCK $s15Synchronization12_MutexHandleV11_unlockSlowyyF
#define LOOK_UP(name) REAL(name)
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

SWIFT void SLOW_LOCK(unsigned thread, SELF) {
  LOOK_UP(SLOW_LOCK);
  real(thread, self);
  acquire(self);
}

SWIFT void SLOW_UNLOCK(SELF) {
  LOOK_UP(SLOW_UNLOCK);
  release(self);
  real(self);
}
