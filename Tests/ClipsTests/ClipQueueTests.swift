import Clips
import Testing
import Timing

@Suite("The queue of clips") struct ClipQueueTests {
  private typealias Queue = ClipQueue<Int>

  /// A queue that has taken data up to these running times, in milliseconds.
  private static func queue(picture: UInt64? = nil, sound: UInt64? = nil, hasSound: Bool = true) -> Queue {
    var queue = Queue(hasSound: hasSound, now: 0)
    if let picture { queue.add(0, of: .picture, reaching: .milliseconds(picture), bytes: 1, now: 0) }
    if let sound { queue.add(0, of: .sound, reaching: .milliseconds(sound), bytes: 1, now: 0) }
    return queue
  }

  // MARK: Room

  @Test func `data wait for the disk above so many bytes, and until they are written`() {
    var queue = Queue(hasSound: false, now: 0)
    queue.add(1, of: .picture, reaching: 0, bytes: Queue.capacity, now: 0)
    #expect(queue.admits(.picture, reaching: 1) == true)
    queue.add(2, of: .picture, reaching: 1, bytes: 1, now: 0)
    #expect(queue.admits(.picture, reaching: 2) == nil)
    let batch = queue.take(now: 0)
    // Taken is not written.
    #expect(batch.items == [1, 2] && queue.admits(.picture, reaching: 2) == nil)
    queue.done(batch)
    #expect(queue.admits(.picture, reaching: 2) == true)
  }

  @Test func `what is queued while a batch is written keeps its room`() {
    var queue = Queue(hasSound: false, now: 0)
    queue.add(1, of: .picture, reaching: 0, bytes: 10, now: 0)
    let batch = queue.take(now: 0)
    queue.add(2, of: .picture, reaching: 1, bytes: Queue.capacity + 1, now: 0)
    queue.done(batch)
    #expect(queue.admits(.picture, reaching: 2) == nil)
  }

  @Test func `what is no data never waits`() {
    var queue = Queue(hasSound: true, now: 0)
    queue.add(1, of: .picture, reaching: 0, bytes: Queue.capacity + 1, now: 0)
    for stream in ClipStream.allCases { #expect(queue.admits(stream, reaching: nil) == true) }
  }

  @Test func `items come out once, in their order`() {
    var queue = Queue(hasSound: true, now: 0)
    for item in 0..<6 { queue.add(item, of: item % 2 == 0 ? .picture : .sound, reaching: nil, bytes: 0, now: 0) }
    #expect(queue.take(now: 0).items == Array(0..<6) && queue.take(now: 0).items.isEmpty)
  }

  // MARK: The other stream

  @Test func `sound may be thirty seconds ahead of the picture`() {
    let queue = Self.queue(picture: 1000, sound: 2000)
    #expect(queue.admits(.sound, reaching: .milliseconds(31_000)) == true)
    #expect(queue.admits(.sound, reaching: .milliseconds(31_000) + 1) == nil)
  }

  @Test func `picture may be ten seconds ahead of the sound`() {
    let queue = Self.queue(picture: 2000, sound: 1000)
    #expect(queue.admits(.picture, reaching: .milliseconds(11_000)) == true)
    #expect(queue.admits(.picture, reaching: .milliseconds(11_000) + 1) == nil)
  }

  @Test func `while the other has not begun a step is measured from the stream's own`() {
    #expect(Self.queue().admits(.picture, reaching: .milliseconds(500_000)) == true)
    let queue = Self.queue(picture: 20_000)
    #expect(queue.admits(.picture, reaching: .milliseconds(30_000)) == true)
    #expect(queue.admits(.picture, reaching: .milliseconds(30_001)) == nil)
  }

  @Test(arguments: ClipStream.allCases)
  func `nobody waits for a stream that has ended`(_ stream: ClipStream) {
    var queue = Self.queue(picture: 1000, sound: 1000)
    #expect(queue.admits(stream, reaching: .milliseconds(100_000)) == nil)
    queue.end(stream == .picture ? .sound : .picture)
    #expect(queue.admits(stream, reaching: .milliseconds(100_000)) == true)
  }

  @Test(arguments: ClipStream.allCases)
  func `a stream that begins anew is waited for again`(_ stream: ClipStream) {
    var queue = Self.queue(picture: 1000, sound: 1000)
    let other = stream == .picture ? ClipStream.sound : .picture
    queue.end(other)
    queue.begin(other)
    #expect(queue.admits(stream, reaching: .milliseconds(100_000)) == nil)
  }

  @Test func `alone, the picture waits for nobody, and sound is dropped`() {
    let queue = Self.queue(picture: 1000, hasSound: false)
    #expect(queue.admits(.picture, reaching: .milliseconds(100_000)) == true)
    #expect(queue.admits(.sound, reaching: 0) == false)
  }

  @Test func `times near the end of what can be counted do not trap`() {
    var queue = Self.queue(picture: 1000)
    queue.add(1, of: .sound, reaching: .max, bytes: 0, now: .max)
    #expect(queue.admits(.sound, reaching: .max) == nil && queue.admits(.picture, reaching: .max) == true)
    #expect(!queue.take(now: 0).isSoundOver)
  }

  // MARK: Silence

  @Test func `after the patience picture does not wait for sound any more`() {
    var queue = Self.queue(picture: 2000, sound: 1000)
    let late = Queue.patience + 1
    #expect(!queue.take(now: Queue.patience).isSoundOver)
    #expect(queue.admits(.picture, reaching: .milliseconds(100_000)) == nil)
    #expect(queue.take(now: late).isSoundOver)
    #expect(queue.admits(.picture, reaching: .milliseconds(100_000)) == true)
  }

  @Test func `sound that comes is waited for again`() {
    var queue = Self.queue(picture: 2000, sound: 1000)
    let late = Queue.patience + 1
    #expect(queue.take(now: late).isSoundOver)
    queue.add(1, of: .sound, reaching: .milliseconds(1100), bytes: 0, now: late)
    #expect(!queue.take(now: late + Queue.patience).isSoundOver)
    #expect(queue.take(now: late + late).isSoundOver)
  }

  @Test func `sound that is ahead is not missed, however long the picture takes`() {
    var queue = Self.queue(picture: 1000, sound: 2000)
    #expect(!queue.take(now: Queue.patience * 100).isSoundOver)
  }

  @Test func `without picture no sound is missed, and behind the picture's end it is`() {
    var queue = Self.queue()
    #expect(!queue.take(now: Queue.patience * 2).isSoundOver)
    queue.end(.picture)
    #expect(queue.take(now: Queue.patience * 2).isSoundOver)
  }

  @Test func `a flush gives the sound its patience again`() {
    var queue = Self.queue(picture: 2000)
    queue.flushBegins(.picture, leaving: 1, now: Queue.patience)
    queue.flushEnds(.picture, now: Queue.patience)
    queue.add(1, of: .picture, reaching: .milliseconds(2000), bytes: 0, now: Queue.patience)
    #expect(!queue.take(now: Queue.patience * 2).isSoundOver)
    #expect(queue.take(now: Queue.patience * 2 + 1).isSoundOver)
  }

  // MARK: Flushes and stops

  @Test(arguments: ClipStream.allCases)
  func `a stream that flushes is dropped, and the other goes on`(_ stream: ClipStream) {
    var queue = Self.queue(picture: 1000, sound: 1000)
    let other = stream == .picture ? ClipStream.sound : .picture
    queue.flushBegins(stream, leaving: 99, now: 0)
    #expect(queue.admits(stream, reaching: 0) == false && queue.admits(stream, reaching: nil) == false)
    #expect(queue.admits(other, reaching: .milliseconds(1001)) == true)
    queue.flushEnds(stream, now: 0)
    #expect(queue.admits(stream, reaching: 0) == true)
  }

  @Test func `a flush stands behind what was there before it`() {
    var queue = Queue(hasSound: false, now: 0)
    queue.add(1, of: .picture, reaching: 0, bytes: 0, now: 0)
    queue.flushBegins(.picture, leaving: 99, now: 0)
    // What was admitted before the flush and added behind it.
    queue.add(2, of: .picture, reaching: 0, bytes: 0, now: 0)
    queue.flushEnds(.picture, now: 0)
    queue.add(3, of: .picture, reaching: 0, bytes: 0, now: 0)
    #expect(queue.take(now: 0).items == [1, 99, 3])
  }

  @Test func `after a flush a stream may begin at an earlier time`() {
    var queue = Self.queue(picture: 500_000, sound: 500_000)
    for stream in ClipStream.allCases {
      queue.flushBegins(stream, leaving: 99, now: 0)
      queue.flushEnds(stream, now: 0)
    }
    queue.add(1, of: .picture, reaching: 0, bytes: 0, now: 0)
    #expect(queue.admits(.sound, reaching: .milliseconds(30_001)) == nil && queue.admits(.sound, reaching: .milliseconds(30_000)) == true)
  }

  @Test func `nothing waits or is taken after an interruption`() {
    var queue = Self.queue(picture: 1000, sound: 1000)
    queue.interrupt()
    #expect(queue.admits(.picture, reaching: .milliseconds(100_000)) == false)
    queue.end(.picture)
    queue.end(.sound)
    #expect(queue.mayLeave(.sound))
  }

  @Test func `what comes after a failure is dropped, and nobody waits`() {
    var queue = Self.queue(picture: 1000, sound: 1000)
    queue.fail()
    #expect(queue.take(now: 0).items.isEmpty && queue.admits(.picture, reaching: .milliseconds(100_000)) == false)
    queue.end(.picture)
    queue.end(.sound)
    #expect(queue.mayLeave(.picture))
  }

  // MARK: Ends

  @Test func `the last stream to end waits until all is written, the others do not`() {
    var queue = Self.queue(picture: 1000, sound: 1000)
    queue.end(.sound)
    #expect(queue.mayLeave(.sound))
    queue.end(.picture)
    #expect(!queue.mayLeave(.picture))
    let batch = queue.take(now: 0)
    #expect(batch.isEnd && batch.isPictureOver && batch.isSoundOver && !queue.mayLeave(.picture))
    queue.done(batch)
    queue.finished()
    #expect(queue.mayLeave(.picture) && !queue.hasWork)
  }

  @Test func `an end that something follows is none`() {
    var queue = Self.queue(picture: 1000, hasSound: false)
    queue.end(.picture)
    _ = queue.take(now: 0)
    queue.begin(.picture)
    queue.finished()
    queue.end(.picture)
    #expect(!queue.mayLeave(.picture) && queue.hasWork)
  }

  @Test func `who ended leaves when it flushes`() {
    var queue = Self.queue(picture: 1000, hasSound: false)
    queue.end(.picture)
    queue.flushBegins(.picture, leaving: 99, now: 0)
    #expect(queue.mayLeave(.picture) && !queue.take(now: 0).isEnd)
  }

  @Test func `who ends while it flushes does not wait, and has not ended after it`() {
    var queue = Self.queue(picture: 1000, hasSound: false)
    queue.flushBegins(.picture, leaving: 99, now: 0)
    queue.end(.picture)
    #expect(queue.mayLeave(.picture))
    queue.flushEnds(.picture, now: 0)
    #expect(!queue.take(now: 0).isEnd)
  }

  @Test func `there is work when something is queued, when all has ended, and when nothing more comes`() {
    var queue = Queue(hasSound: false, now: 0)
    #expect(!queue.hasWork)
    queue.add(1, of: .picture, reaching: nil, bytes: 0, now: 0)
    #expect(queue.hasWork)
    _ = queue.take(now: 0)
    #expect(!queue.hasWork)
    queue.end(.picture)
    #expect(queue.hasWork)
    queue.finished()
    #expect(!queue.hasWork)
    queue.close()
    #expect(queue.hasWork && queue.take(now: 0).isClosed)
  }

  @Test(arguments: 1..<30)
  func `the streams never wait for each other at once`(_ seed: UInt64) {
    var state = seed
    func dice(_ sides: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % sides
    }
    var queue = Queue(hasSound: true, now: 0)
    var heads: [ClipStream: ClockTime] = [.picture: .milliseconds(dice(60_000)), .sound: .milliseconds(dice(60_000))]
    var bytes = 0
    for _ in 0..<3000 {
      var waiting = 0
      for stream in ClipStream.allCases {
        let next = (heads[stream] ?? 0) + .milliseconds(1 + dice(9000))
        guard queue.admits(stream, reaching: next) == true else {
          waiting += 1
          continue
        }
        let size = Int(dice(4 << 20))
        queue.add(1, of: stream, reaching: next, bytes: size, now: 0)
        heads[stream] = next
        bytes += size
      }
      #expect(waiting < 2 || queue.hasWork)
      #expect(bytes <= Queue.capacity + 2 * (4 << 20))
      if waiting == 2 || dice(3) == 0 {
        queue.done(queue.take(now: 0))
        bytes = 0
      }
    }
    // Both have come far.
    #expect(heads.values.allSatisfy { $0 > .milliseconds(1_000_000) })
  }
}
