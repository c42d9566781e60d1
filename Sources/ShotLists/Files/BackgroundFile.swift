import Threads

/// Turns entries into the bytes of a file; called on the writer's thread only.
protocol EntrySink<Entry>: ~Copyable {
  associatedtype Entry: Sendable
  mutating func begin(_ file: inout OutputFile) throws(FileError)
  mutating func write(_ entries: [Entry], to file: inout OutputFile) throws(FileError)
  mutating func finish(_ file: inout OutputFile) throws(FileError)
}

/// A file that is written on a thread of its own, so that whoever has something to write never waits for the disk.
///
/// The first failure is reported once, by the thread that meets it; after it entries are dropped and the file stays as
/// it was.
final class BackgroundFile<Sink: EntrySink & Sendable>: Sendable {
  private let path: String
  private let mailbox: Mailbox<Sink.Entry>
  private let thread: Once<BackgroundThread>
  private let reporter: Reporter

  init(path: String, capacity: Int, sink: Sink, onError: @escaping @Sendable (FileError) -> Void) {
    self.path = path
    let mailbox = Mailbox<Sink.Entry>(capacity: capacity)
    let reporter = Reporter(onError)
    self.mailbox = mailbox
    self.reporter = reporter
    do {
      thread = Once(try BackgroundThread { Self.run(path, mailbox, sink, reporter) })
    } catch {
      thread = Once(nil)
      mailbox.shut()
      reporter.report(FileError(.thread, path: path, code: error.code))
    }
  }

  deinit {
    mailbox.shut()
    thread.take()?.detach()
  }

  /// Never waits. A full queue is a failure like one of the disk.
  func enqueue(_ entry: Sink.Entry) {
    if mailbox.offer(entry) { return }
    mailbox.shut()
    reporter.report(FileError(.queue, path: path, code: 0))
  }

  /// Nothing more comes; does not wait.
  func shut() { mailbox.shut() }

  /// Waits until everything is written, or has failed. Later calls do nothing.
  func close() {
    mailbox.shut()
    thread.take()?.join()
  }

  private static func run(_ path: String, _ mailbox: Mailbox<Sink.Entry>, _ sink: Sink, _ reporter: Reporter) {
    var sink = sink
    do throws(FileError) {
      var file = try OutputFile(path: path, isClosing: { mailbox.isClosing })
      try sink.begin(&file)
      var batch: [Sink.Entry] = []
      while mailbox.take(into: &batch) { try sink.write(batch, to: &file) }
      try sink.finish(&file)
    } catch {
      mailbox.shut()
      reporter.report(error)
    }
  }
}
