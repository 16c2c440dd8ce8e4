// SPDX-License-Identifier: Apache-2.0
// Shows ThreadSanitizer the locks of GLib and the reference counts of GStreamer. Both are built
// without instrumentation and use futexes and atomics of their own, so that everything of ours that
// is handed over through a pad, a queue or a bus would look like a race. Linked into every program
// of the tsan preset; the dynamic linker then finds these definitions first. Each one calls the
// real function and tells the sanitizer what it orders.
#include <dlfcn.h>
#include <glib-object.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

namespace {

// The definition behind ours. Looked up once per function.
template <typename Function>
Function* Real(const char* name, Function* /*deduces the type*/) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

#define REAL(name) static auto* const real = Real(#name, &name)
#define LOCK(name, Type)  \
  void name(Type* lock) { \
    REAL(name);           \
    real(lock);           \
    __tsan_acquire(lock); \
  }
#define TRYLOCK(name, Type)                \
  gboolean name(Type* lock) {              \
    REAL(name);                            \
    const gboolean locked = real(lock);    \
    if (locked != 0) __tsan_acquire(lock); \
    return locked;                         \
  }
#define UNLOCK(name, Type) \
  void name(Type* lock) {  \
    REAL(name);            \
    __tsan_release(lock);  \
    real(lock);            \
  }
// One side of a hand-over: what was done before it is seen by whoever takes the same thing later.
#define REFERENCE(name, Result, Type) \
  Result name(Type thing) {           \
    REAL(name);                       \
    __tsan_release(thing);            \
    __tsan_acquire(thing);            \
    return real(thing);               \
  }

extern "C" {

LOCK(g_mutex_lock, GMutex)
TRYLOCK(g_mutex_trylock, GMutex)
UNLOCK(g_mutex_unlock, GMutex)
LOCK(g_rec_mutex_lock, GRecMutex)
TRYLOCK(g_rec_mutex_trylock, GRecMutex)
UNLOCK(g_rec_mutex_unlock, GRecMutex)
LOCK(g_rw_lock_writer_lock, GRWLock)
UNLOCK(g_rw_lock_writer_unlock, GRWLock)
LOCK(g_rw_lock_reader_lock, GRWLock)
UNLOCK(g_rw_lock_reader_unlock, GRWLock)

void g_cond_wait(GCond* cond, GMutex* mutex) {
  REAL(g_cond_wait);
  __tsan_release(mutex);
  real(cond, mutex);
  __tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond* cond, GMutex* mutex, gint64 end_time) {
  REAL(g_cond_wait_until);
  __tsan_release(mutex);
  const gboolean signalled = real(cond, mutex, end_time);
  __tsan_acquire(mutex);
  return signalled;
}

void g_async_queue_push(GAsyncQueue* queue, gpointer data) {
  REAL(g_async_queue_push);
  __tsan_release(queue);
  real(queue, data);
}

gpointer g_async_queue_pop(GAsyncQueue* queue) {
  REAL(g_async_queue_pop);
  gpointer const data = real(queue);
  __tsan_acquire(queue);
  return data;
}

gpointer g_async_queue_try_pop(GAsyncQueue* queue) {
  REAL(g_async_queue_try_pop);
  gpointer const data = real(queue);
  __tsan_acquire(queue);
  return data;
}

gpointer g_async_queue_timeout_pop(GAsyncQueue* queue, guint64 timeout) {
  REAL(g_async_queue_timeout_pop);
  gpointer const data = real(queue, timeout);
  __tsan_acquire(queue);
  return data;
}

#undef g_object_ref
REFERENCE(g_object_ref, gpointer, gpointer)
REFERENCE(g_object_unref, void, gpointer)
REFERENCE(gst_mini_object_ref, GstMiniObject*, GstMiniObject*)
REFERENCE(gst_mini_object_unref, void, GstMiniObject*)

}  // extern "C"
