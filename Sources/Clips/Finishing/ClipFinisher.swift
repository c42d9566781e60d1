import DequeModule
import Threads

/// The thread that does what is left to do when a clip is complete, one clip after the other.
///
/// At most ``capacity`` clips wait; then the recorder waits, and the streams with it.
package final class ClipFinisher: Sendable {
  /// How many clips may wait.
  package static let capacity = 256

  private struct State {
    var clips: Deque<FinishedClip> = []
    var isBusy = false
    var isClosed = false
  }

  private let state = Monitor(State())
  private let thread: BackgroundThread

  /// - Parameter work: what is done with each clip, in order, on the finisher's thread.
  package init(_ work: @escaping @Sendable (FinishedClip) -> Void) throws(BackgroundThread.Failure) {
    let state = state
    thread = try BackgroundThread {
      while true {
        let clip = state.wait { state -> FinishedClip?? in
          guard let clip = state.clips.popFirst() else { return state.isClosed ? .some(nil) : nil }
          state.isBusy = true
          return .some(clip)
        }
        guard let clip else { return }
        work(clip)
        state.change { $0.isBusy = false }
      }
    }
  }

  /// Waits for room.
  package func take(_ clip: FinishedClip) {
    state.wait { $0.clips.count < Self.capacity ? () : nil }
    state.change { $0.clips.append(clip) }
  }

  /// Waits until every clip is done.
  package func drain() { state.wait { $0.clips.isEmpty && !$0.isBusy ? () : nil } }

  /// Ends when every clip is done. Once.
  package func close() {
    state.change { $0.isClosed = true }
    thread.join()
  }
}
