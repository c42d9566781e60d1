import CGStreamer
import Synchronization
import Timing

/// Waits of one thread for the pipeline's clock, which others can end.
public final class ClockWait: Sendable {
  /// How a wait ended.
  public enum Result: Sendable {
    case due
    /// Something has come up before.
    case over
    /// There is no clock to wait for.
    case untimed
  }

  /// A GstClockID, which is counted.
  private struct Entry: @unchecked Sendable {
    let id: GstClockID
  }

  private let entry = Mutex<Entry?>(nil)

  /// One serves any number of waits, one after the other.
  public init() {}

  /// Waits until a running time, at most until `wake()`. One thread at a time.
  ///
  /// - Parameter isVain: asked when `wake()` already counts: true for not to wait.
  public func wait(_ element: ElementHandle, until running: ClockTime, unless isVain: () -> Bool) -> Result {
    guard let clock = gst_element_get_clock(element.element) else { return .untimed }
    defer { gst_object_unref(clock) }
    let base = gst_element_get_base_time(element.element)
    guard base != .max else { return .untimed }
    let due = ClockTime(base).saturating(adding: running)
    while true {
      let now = ClockTime(gst_clock_get_time(clock))
      // Clocks spin on a wait of centuries, under a lock that whoever ends it needs: they are asked for a while at a time.
      let next = GstClockTime(min(due, now.saturating(adding: Self.longest)))
      guard now < due, let id = gst_clock_new_single_shot_id(clock, next) else { return .due }
      defer { gst_clock_id_unref(id) }
      entry.withLock { $0 = Entry(id: id) }
      defer { entry.withLock { $0 = nil } }
      if isVain() { return .over }
      if gst_clock_id_wait(id, nil) == GST_CLOCK_UNSCHEDULED { return .over }
    }
  }

  /// What a clock is asked to wait for at once.
  private static let longest = ClockTime.milliseconds(60_000)

  /// Ends a wait that goes on, or has been prepared.
  public func wake() {
    // Not under the lock: the clock may take one of its own.
    let id = entry.withLock { entry in entry.map { Entry(id: gst_clock_id_ref($0.id)) } }
    guard let id else { return }
    gst_clock_id_unschedule(id.id)
    gst_clock_id_unref(id.id)
  }
}

extension ElementHandle {
  /// Running time by the pipeline's clock; nil without one.
  public var runningTime: ClockTime? {
    guard let clock = gst_element_get_clock(element) else { return nil }
    defer { gst_object_unref(clock) }
    let (time, base) = (gst_clock_get_time(clock), gst_element_get_base_time(element))
    return base == .max ? nil : ClockTime(time).less(ClockTime(base))
  }

  /// Whether the element plays, rather than is about to or pauses.
  public var isPlaying: Bool { element.pointee.current_state == GST_STATE_PLAYING }
}
