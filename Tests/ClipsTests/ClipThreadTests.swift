import Clips
import Glibc
import Shots
import Synchronization
import Testing
import Threads
import Timing

@Suite("Threads of clips") struct ClipThreadTests {
  /// Whether it comes true within five seconds.
  private static func eventually(_ isTrue: () -> Bool) -> Bool {
    for _ in 0..<1000 {
      if isTrue() { return true }
      usleep(5000)
    }
    return isTrue()
  }

  /// A piece of work on a thread of its own, and whether it is done.
  private final class Job: Sendable {
    private let hasReturned = Atomic(false)
    var isDone: Bool { hasReturned.load(ordering: .acquiring) }

    func run(_ work: @escaping @Sendable () -> Void) throws {
      try BackgroundThread { [self] in
        work()
        hasReturned.store(true, ordering: .releasing)
      }.detach()
    }
  }

  private static let full = ClipQueue<Int>.capacity + 1

  /// An inbox that is full, and a stream that waits at it.
  private static func crowded() throws -> (ClipInbox<Int>, Job) {
    let inbox = ClipInbox<Int>(hasSound: false)
    inbox.offer(1, of: .picture, reaching: 0, bytes: full)
    let job = Job()
    try job.run { inbox.offer(2, of: .picture, reaching: 1, bytes: 1) }
    usleep(20_000)
    #expect(!job.isDone)
    return (inbox, job)
  }

  @Test func `who waits for room goes on when there is some`() throws {
    let (inbox, job) = try Self.crowded()
    let batch = inbox.take()
    inbox.done(batch)
    #expect(Self.eventually { job.isDone } && batch.items == [1] && inbox.take().items == [2])
  }

  @Test func `a flush wakes who waits, and what it brought is dropped`() throws {
    let (inbox, job) = try Self.crowded()
    inbox.flushBegins(.picture, leaving: 99)
    #expect(Self.eventually { job.isDone } && inbox.take().items == [1, 99])
  }

  @Test func `an interruption wakes who waits`() throws {
    let (inbox, job) = try Self.crowded()
    inbox.interrupt()
    #expect(Self.eventually { job.isDone } && inbox.take().items == [1])
  }

  @Test func `a failure wakes who waits`() throws {
    let (inbox, job) = try Self.crowded()
    inbox.fail()
    #expect(Self.eventually { job.isDone })
  }

  @Test func `the last end waits until everything is on the disk`() throws {
    let inbox = ClipInbox<Int>(hasSound: false)
    let job = Job()
    try job.run { inbox.end(.picture) }
    let batch = inbox.take()
    #expect(batch.isEnd && !job.isDone)
    inbox.done(batch)
    inbox.finished()
    #expect(Self.eventually { job.isDone })
  }

  @Test func `an end that is flushed while it waits is none`() throws {
    for stops in [false, true] {
      let inbox = ClipInbox<Int>(hasSound: false)
      let isEnd = Shared(true)
      let job = Job()
      try job.run { isEnd.change { $0 = inbox.end(.picture) } }
      usleep(20_000)
      inbox.flushBegins(.picture, leaving: 99)
      if stops { inbox.flushEnds(.picture) }
      #expect(Self.eventually { job.isDone } && !isEnd.change { $0 })
    }
    #expect(ClipInbox<Int>(hasSound: true).end(.picture))
  }

  @Test func `silence is told by the clock that is handed in`() {
    let clock = Mutex<ClockTime>(0)
    let inbox = ClipInbox<Int>(hasSound: true) { clock.withLock { $0 } }
    inbox.offer(1, of: .picture, reaching: 1, bytes: 1)
    #expect(!inbox.take().isSoundOver)
    clock.withLock { $0 = ClipQueue<Int>.patience + 1 }
    inbox.offer(2, of: .picture, reaching: 2, bytes: 1)
    #expect(inbox.take().isSoundOver)
  }

  // MARK: Finisher

  private static func clip(_ shot: UInt64) -> FinishedClip {
    let record = ClipRecord(path: "", videoName: "", start: 0, end: 0, frames: 0, shot: shot, boundary: nil, width: 0, height: 0, rate: nil)
    return FinishedClip(record: record, start: 0, end: 0, isAround: false, around: [])
  }

  @Test func `clips are finished one after the other, and all of them`() throws {
    let done = Mutex<[UInt64]>([])
    let finisher = try ClipFinisher { clip in
      usleep(1000)
      done.withLock { $0.append(clip.record.shot) }
    }
    for shot in 0..<20 { finisher.take(Self.clip(UInt64(shot))) }
    finisher.drain()
    #expect(done.withLock { $0 } == Array(0..<20))
    finisher.take(Self.clip(20))
    finisher.close()
    #expect(done.withLock { $0.last } == 20)
  }

  @Test func `who waits for all clips waits for the one that is in work`() throws {
    let (begun, gate) = (Monitor(false), Monitor(false))
    let finisher = try ClipFinisher { _ in
      begun.change { $0 = true }
      gate.wait { $0 ? () : nil }
    }
    finisher.take(Self.clip(0))
    begun.wait { $0 ? () : nil }
    let job = Job()
    try job.run { finisher.drain() }
    usleep(20_000)
    #expect(!job.isDone)
    gate.change { $0 = true }
    #expect(Self.eventually { job.isDone })
    finisher.close()
  }

  @Test func `more than so many clips wait for the finisher`() throws {
    let gate = Monitor(false)
    let finisher = try ClipFinisher { _ in gate.wait { $0 ? () : nil } }
    // One is in work.
    finisher.take(Self.clip(0))
    usleep(20_000)
    for _ in 0..<ClipFinisher.capacity { finisher.take(Self.clip(1)) }
    let job = Job()
    try job.run { finisher.take(Self.clip(2)) }
    usleep(20_000)
    #expect(!job.isDone)
    gate.change { $0 = true }
    #expect(Self.eventually { job.isDone })
    finisher.close()
  }

  // MARK: Recorder

  /// A recorder whose clips are told of by their frames.
  private static func record(
    breaking broken: (Disk.Operation, Int)? = nil, _ body: (ClipInbox<ClipItem<MemoryFile>>, _ finished: () -> Int) -> Void
  ) throws -> (frames: [UInt64], problems: [String]) {
    let (done, problems) = (Shared<[UInt64]>([]), Shared<[String]>([]))
    let options = ClipOptions<Int>(mode: .shots, names: try ClipNamePattern("%d"), hasSound: false)
    let disk = Shared(DiskBox(broken))
    let recorder = try ClipRecorder<MemoryFile>(options) { beginning in
      try disk.change { try $0.disk.open(beginning) }
    } finish: { clip in
      usleep(2000)
      done.change { $0.append(clip.record.frames) }
    } report: { problem in
      switch problem {
      case .writing(let error): problems.change { $0.append("\(type(of: error))") }
      case .keyFrameIsMissing: problems.change { $0.append("key") }
      }
    }
    body(recorder.inbox) { done.change { $0.count } }
    recorder.close()
    return (done.change { $0 }, problems.change { $0 })
  }

  private final class Shared<Value>: @unchecked Sendable {
    private let lock = Mutex<Void>(())
    private var value: Value
    init(_ value: Value) { self.value = value }
    func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
      try lock.withLock { _ in try body(&value) }
    }
  }

  private struct DiskBox {
    let disk = Disk()
    init(_ broken: (Disk.Operation, Int)?) { disk.broken = broken.map { ($0.0, file: $0.1) } }
  }

  private static func shots(_ inbox: ClipInbox<ClipItem<MemoryFile>>, _ count: Int) {
    inbox.offer(.pictureFormat("h264", ClipPicture(width: 1, height: 1, rate: nil)))
    for shot in 0..<count {
      if shot > 0 { inbox.offer(.mark(cut(UInt64(shot) + 1, at: shot * 10), at: frame(shot * 10))) }
      for number in shot * 10..<shot * 10 + 10 {
        let time = PacketTime(running: frame(number), stream: frame(number), duration: frame(1), isKey: number % 10 == 0)
        inbox.offer(.picture(number, time), bytes: 1 << 20)
      }
    }
  }

  @Test func `when the end of the stream returns all clips are finished`() throws {
    let (frames, problems) = try Self.record { inbox, finished in
      Self.shots(inbox, 10)
      inbox.end(.picture)
      #expect(finished() == 10)
    }
    #expect(frames == [UInt64](repeating: 10, count: 10) && problems == [])
  }

  @Test func `what is open at the stop is complete after it`() throws {
    let (frames, _) = try Self.record { inbox, _ in Self.shots(inbox, 2) }
    #expect(frames == [10, 10])
  }

  @Test func `a stop waits for a disk that does not answer no longer than it is told, and the clip is complete later`() throws {
    let gate = Monitor(false)
    let done = Shared<[UInt64]>([])
    let disk = Shared(DiskBox(nil))
    let recorder = try ClipRecorder<MemoryFile>(ClipOptions<Int>(mode: .shots, names: try ClipNamePattern("%d"), hasSound: false)) {
      beginning in
      gate.wait { $0 ? () : nil }
      return try disk.change { try $0.disk.open(beginning) }
    } finish: { clip in
      done.change { $0.append(clip.record.frames) }
    } report: { _ in
    }
    Self.shots(recorder.inbox, 1)
    let begin = ContinuousClock.now
    recorder.inbox.interrupt()
    #expect(!recorder.close(within: 100) && ContinuousClock.now - begin < .seconds(5))
    gate.change { $0 = true }
    #expect(Self.eventually { done.change { $0 } == [10] })
  }

  @Test func `a fault is reported once, and the streams do not hang`() throws {
    let (frames, problems) = try Self.record(breaking: (.write, 2)) { inbox, _ in
      Self.shots(inbox, 10)
      inbox.end(.picture)
    }
    #expect(frames == [10, 10] && problems == ["Broken"])
  }
}
