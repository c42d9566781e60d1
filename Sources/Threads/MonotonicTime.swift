import Timing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Time of a clock that nobody sets, since some moment before.
package func monotonicTime() -> ClockTime {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return ClockTime(max(0, time.tv_sec)) * 1_000_000_000 + ClockTime(max(0, time.tv_nsec))
}

extension timespec {
  /// A time of ``monotonicTime()``, for the system's calls.
  init(monotonic time: ClockTime) { self.init(tv_sec: time_t(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000)) }
}
