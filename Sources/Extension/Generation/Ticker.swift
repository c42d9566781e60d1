import Threads

/// Ends work that is of no use any more, and tells of it about once a second.
final class Ticker: @unchecked Sendable {
  private let isCurrent: () -> Bool
  private let tick: (Int, Int) -> Void
  private var last = monotonicTime()

  init(while isCurrent: @escaping () -> Bool, tick: @escaping (Int, Int) -> Void) {
    self.isCurrent = isCurrent
    self.tick = tick
  }

  var check: ProgressCheck {
    { [self] step, steps in
      guard isCurrent() else { throw GenerationFailure.cancelled }
      let now = monotonicTime()
      guard now - last >= 1_000_000_000 else { return }
      last = now
      tick(step, steps)
    }
  }
}
