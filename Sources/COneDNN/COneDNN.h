#pragma once
#include <dnnl.h>

// Where oneDNN brings OpenMP with it. Weak: its header belongs to a compiler, and a build with another runtime has none.
extern void omp_set_num_threads(int count) __attribute__((weak));

// The number of threads that oneDNN may use on the calling thread.
static inline void cdnn_set_thread_count(int count) {
  if (omp_set_num_threads) omp_set_num_threads(count);
}
