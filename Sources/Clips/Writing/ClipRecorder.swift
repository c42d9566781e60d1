import Threads

/// The thread that takes what the streams hand over and has it written into clips.
package final class ClipRecorder<File: ClipFile>: Sendable {
  /// What is reported, on the recorder's thread.
  package enum Problem: Sendable {
    /// The first error; nothing is written after it.
    case writing(any Error)
    /// The encoder makes no key frame where it is asked for one.
    case keyFrameIsMissing
  }

  package let inbox: ClipInbox<ClipItem<File>>
  private let thread: BackgroundThread
  private let finisher: ClipFinisher

  /// - Parameters:
  ///   - finisher: gets each clip that is complete.
  ///   - open: makes a file, on the recorder's thread.
  package init(
    _ options: ClipOptions<File.Packet>, finisher: ClipFinisher, open: @escaping @Sendable (ClipBeginning<File.Format>) throws -> File,
    report: @escaping @Sendable (Problem) -> Void
  ) throws(BackgroundThread.Failure) {
    let inbox = ClipInbox<ClipItem<File>>(hasSound: options.hasSound)
    self.inbox = inbox
    self.finisher = finisher
    thread = try BackgroundThread {
      let writer = ClipWriter(options, open: open) { news in
        switch news {
        case .finished(let clip): finisher.take(clip)
        case .keyFrameIsMissing: report(.keyFrameIsMissing)
        }
      }
      Self.run(writer, inbox, finisher, report)
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
  package func close() {
    inbox.close()
    thread.join()
    finisher.close()
  }
}
