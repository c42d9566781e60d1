import Threads
import Timing

/// The ``ClipQueue`` between the streaming threads and the thread that writes clips, under a lock and with the waits.
package final class ClipInbox<Item: Sendable>: Sendable {
  private let queue: Monitor<ClipQueue<Item>>
  private let clock: @Sendable () -> ClockTime

  /// - Parameter clock: by which is told that no sound comes.
  package init(hasSound: Bool, clock: @escaping @Sendable () -> ClockTime = monotonicTime) {
    self.clock = clock
    queue = Monitor(ClipQueue(hasSound: hasSound, now: clock()))
  }

  // MARK: The streams' side

  /// Waits for room. What comes while the stream flushes, or is no longer wanted, is dropped.
  ///
  /// - Parameters:
  ///   - time: running time that it reaches; nil if it is no data.
  ///   - bytes: that it takes in memory.
  package func offer(_ item: Item, of stream: ClipStream, reaching time: ClockTime?, bytes: Int) {
    guard queue.wait({ $0.admits(stream, reaching: time) }) else { return }
    queue.change { $0.add(item, of: stream, reaching: time, bytes: bytes, now: clock()) }
  }

  /// A flush begins, which wakes who waits.
  package func flushBegins(_ stream: ClipStream, leaving item: Item) {
    queue.change { $0.flushBegins(stream, leaving: item, now: clock()) }
  }

  /// A flush ends.
  package func flushEnds(_ stream: ClipStream) { queue.change { $0.flushEnds(stream, now: clock()) } }

  /// A stream begins, perhaps after another has ended.
  package func begin(_ stream: ClipStream) { queue.change { $0.begin(stream) } }

  /// A stream ends. The last one waits until every clip is complete.
  ///
  /// - Returns: false if a flush has come meanwhile: the end is none any more.
  @discardableResult
  package func end(_ stream: ClipStream) -> Bool {
    queue.change { $0.end(stream) }
    return queue.wait { $0.mayLeave(stream) ? $0.isOver(stream) : nil }
  }

  /// A stream goes away in the middle of what it brings, which wakes who waits.
  package func leave(_ stream: ClipStream) { queue.change { $0.leave(stream) } }

  /// Wakes every wait of a stream.
  package func interrupt() { queue.change { $0.interrupt() } }

  /// Nothing more comes.
  package func close() { queue.change { $0.close() } }

  // MARK: The writer's side

  /// Waits for something to do, a moment at most.
  package func take() -> ClipQueue<Item>.Batch {
    queue.wait(milliseconds: 500) { $0.hasWork ? $0.take(now: clock()) : nil } ?? queue.change { $0.take(now: clock()) }
  }

  /// Makes room.
  package func done(_ batch: ClipQueue<Item>.Batch) { queue.change { $0.done(batch) } }

  /// Everything is on the disk, unless something has come meanwhile.
  package func finished() { queue.change { $0.finished() } }

  /// Writing has failed: what comes is dropped.
  package func fail() { queue.change { $0.fail() } }
}

extension ClipInbox {
  /// Offers what the thread that writes clips takes.
  package func offer<File>(_ item: Item, bytes: Int = 0) where Item == ClipItem<File> {
    offer(item, of: item.stream, reaching: item.reached, bytes: bytes)
  }

  /// A flush begins, which wakes who waits; clips do not go on over it.
  package func flushBegins<File>(_ stream: ClipStream) where Item == ClipItem<File> { flushBegins(stream, leaving: .jump(stream)) }
}
