import Threads

/// The thread that takes what the streams hand over and has it written into clips, and the one that finishes them.
package final class ClipRecorder<File: ClipFile>: Sendable {
  /// What is reported, on the recorder's thread.
  package enum Problem: Sendable {
    /// The first error; nothing is written after it.
    case writing(any Error)
    /// The encoder makes no key frame where it is asked for one.
    case keyFrameIsMissing
  }

  /// The system gave no thread.
  package struct NoThread: Error {
    /// What it was for: to "write" or to "finish".
    package var job: String
    /// The system's error number.
    package var code: Int32
  }

  /// Where the streams hand over what they have.
  package let inbox: ClipInbox<ClipItem<File>>
  private let thread: BackgroundThread
  /// Whether both threads are done.
  private let isOver: Monitor<Bool>

  /// - Parameters:
  ///   - open: makes a file, on the recorder's thread.
  ///   - finish: is given each clip that is complete, in order, on the finisher's thread.
  package init(
    _ options: ClipOptions<File.Packet>, open: @escaping @Sendable (ClipBeginning<File.Format>) throws -> File,
    finish: @escaping @Sendable (FinishedClip) -> Void, report: @escaping @Sendable (Problem) -> Void
  ) throws(NoThread) {
    let finisher: ClipFinisher
    do { finisher = try ClipFinisher(finish) } catch { throw NoThread(job: "finish", code: error.code) }
    let inbox = ClipInbox<ClipItem<File>>(hasSound: options.hasSound)
    self.inbox = inbox
    let isOver = Monitor(false)
    self.isOver = isOver
    let run: @Sendable () -> Void = {
      let writer = ClipWriter(options, open: open) { news in
        switch news {
        case .finished(let clip): finisher.take(clip)
        case .keyFrameIsMissing: report(.keyFrameIsMissing)
        }
      }
      Self.run(writer, inbox, finisher, report)
      finisher.close()
      isOver.change { $0 = true }
    }
    do {
      thread = try BackgroundThread(run)
    } catch {
      finisher.close()
      throw NoThread(job: "write", code: error.code)
    }
  }

  private static func run(
    _ writer: consuming ClipWriter<File>, _ inbox: ClipInbox<ClipItem<File>>, _ finisher: ClipFinisher, _ report: (Problem) -> Void
  ) {
    var isBroken = false
    while true {
      let batch = inbox.take()
      do {
        if !isBroken { try writer.take(batch) }
      } catch {
        isBroken = true
        writer.abandon()
        inbox.fail()
        report(.writing(error))
      }
      inbox.done(batch)
      if batch.isEnd || batch.isClosed { finisher.drain() }
      if batch.isEnd { inbox.finished() }
      if batch.isClosed { return }
    }
  }

  /// Finishes what is open as it is, and ends. Once.
  ///
  /// - Parameter patience: for how many milliseconds it is waited for.
  /// - Returns: false if that was not enough: its threads go on alone, and what they are given has to live as long.
  @discardableResult
  package func close(within patience: Int = 600_000) -> Bool {
    inbox.close()
    let isInTime = isOver.wait(milliseconds: patience) { $0 ? () : nil } != nil
    if isInTime { thread.join() } else { thread.detach() }
    return isInTime
  }
}
