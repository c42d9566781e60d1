import CGStreamer
import CGStreamerCheck

/// A clock that stands still until a test says otherwise, from 0, which is the running time.
///
/// Who waits for it has done everything before: what came out by then is what the element had to show.
final class TestClock {
  private let gst: UnsafeMutablePointer<GstTestClock>

  /// The clock of a harness, from now on.
  init(of harness: Harness) throws {
    gst_harness_use_testclock(harness.gst)
    guard let clock = gst_harness_get_testclock(harness.gst) else { throw Failure("no clock") }
    gst = clock
    gst_element_set_base_time(harness.element, 0)
  }

  deinit { gst_object_unref(gst) }

  /// Waits until somebody waits for the clock.
  ///
  /// - Returns: for what time; nil if nobody does within `limit` seconds.
  func awaited(within limit: Double = 30) -> UInt64? {
    guard eventually(within: limit, { gst_test_clock_peek_id_count(gst) > 0 }) else { return nil }
    return UInt64(gst_test_clock_get_next_entry_time(gst))
  }

  /// Lets time pass, and wakes those whose time has come.
  func advance(to time: UInt64) {
    gst_test_clock_set_time(gst, GstClockTime(time))
    while gst_test_clock_peek_id_count(gst) > 0, gst_test_clock_get_next_entry_time(gst) <= GstClockTime(time) {
      guard let id = gst_test_clock_process_next_clock_id(gst) else { return }
      gst_clock_id_unref(id)
    }
  }
}
