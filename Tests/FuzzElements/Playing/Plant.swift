import CGStreamer
import Glibc

/// A fault in what the harness itself does, to see that it is found: the variable FUZZ_PLANT names it.
///
/// It shows when a buffer comes after the second flush, so that the shortest sequence that fails has three steps besides what brings
/// data that far.
final class Plant: @unchecked Sendable {
  enum Fault: String { case trap, hang, leak, threads }

  private let fault: Fault
  private var flushes = 0

  /// nil if the variable names none.
  init?() {
    guard let name = getenv("FUZZ_PLANT"), let fault = Fault(rawValue: String(cString: name)) else { return nil }
    self.fault = fault
  }

  func see(_ event: Plan.Event) { if case .flushStop = event { flushes += 1 } }

  func see(_ buffer: UnsafeMutablePointer<GstBuffer>) {
    guard flushes >= 2 else { return }
    flushes = 0
    switch fault {
    case .trap: fatalError("planted")
    case .hang: while true { sleep(60) }
    case .leak: _ = gst_mini_object_ref(&buffer.pointee.mini_object)
    case .threads: _ = StreamingThread()
    }
  }
}
