import Clips
import Shots
import Testing
import Timing

@Suite("Sound of clips") struct ClipSoundTests {
  private static func file(_ studio: Studio, _ index: Int = 0) throws -> MemoryFile {
    try #require(studio.disk.files.indices.contains(index) ? studio.disk.files[index] : nil)
  }

  @Test func `a file waits until it is known whether it has sound`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<50)
    #expect(studio.disk.files.isEmpty)
    try studio.sound(0..<30)
    #expect(try Self.file(studio).beginning.sound == "s16")
  }

  @Test func `frames wait for the sound that is heard with them`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    try studio.sound(0..<90)
    // Frame 2 begins at 80 ms and lasts longer than the sound does; frame 3 begins at 120 ms.
    #expect(try Self.file(studio).frames == [0, 1, 2])
    try studio.sound(90..<210)
    #expect(try Self.file(studio).frames == [0, 1, 2, 3, 4, 5])
  }

  @Test func `sound that is early goes no further than the picture`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<3000)
    try studio.frames(0..<5)
    // How long the last frame is shown is not known before there is another one.
    #expect(try Self.file(studio).heard == [milliseconds(0..<160)] && studio.disk.files[0].frames == Array(0..<4))
    try studio.frames(5..<6)
    #expect(try Self.file(studio).heard == [milliseconds(0..<200)])
  }

  @Test(arguments: [1, 7, 30, 40, 250, 1000])
  func `sound is parted at the boundary, whatever its pieces`(_ pieces: Int) throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<1000, pieces: pieces)
    try studio.frames(0..<11)
    try studio.mark(11)
    try studio.frames(11..<25)
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.disk.files.map(\.heard) == [[milliseconds(0..<440)], [milliseconds(440..<1000)]])
    #expect(studio.counts == [11, 14])
  }

  @Test func `clips that overlap both have the sound`() throws {
    var studio = try Studio(.around(padding: frame(10), longest: frame(100), onlyFirst: false))
    try studio.begin()
    try studio.sound(0..<2000)
    for boundary in [20, 25] { try studio.mark(boundary) }
    try studio.frames(0..<50)
    #expect(studio.disk.files.map(\.heard) == [[milliseconds(400..<1200)], [milliseconds(600..<1400)]])
    #expect(studio.counts == [20, 20])
  }

  @Test func `sound from before the clip is none of it`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<400)
    studio.keys = { $0 >= 10 }
    try studio.frames(0..<20)
    #expect(studio.disk.files.isEmpty)
    try studio.sound(400..<430)
    #expect(try Self.file(studio).heard == [milliseconds(400..<430)])
  }

  @Test func `sound that begins inside of a clip is in it from there on`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    try studio.sound(230..<400)
    #expect(try Self.file(studio).heard == [milliseconds(230..<360)])
    try studio.end(.picture)
    #expect(studio.disk.files[0].heard == [milliseconds(230..<400)] && studio.disk.files[0].frames == Array(0..<10))
  }

  @Test func `a gap in the sound stays one`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    try studio.sound(0..<90)
    try studio.sound(150..<400)
    #expect(try Self.file(studio).heard == [milliseconds(0..<90), milliseconds(150..<360)])
  }

  // MARK: Ends

  @Test func `picture that ends first waits for its sound`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    try studio.end(.picture)
    try studio.sound(0..<390)
    #expect(studio.news.clips.isEmpty)
    try studio.sound(390..<600)
    #expect(studio.counts == [10] && studio.disk.files[0].heard == [milliseconds(0..<400)])
    try studio.end(.sound)
    #expect(studio.counts == [10])
  }

  @Test func `sound that ends first lets the picture go on alone`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<90)
    try studio.end(.sound)
    try studio.frames(0..<10)
    let file = try Self.file(studio)
    #expect(file.heard == [milliseconds(0..<90)] && !file.hasSound && file.frames == Array(0..<9))
    try studio.end(.picture)
    #expect(studio.counts == [10] && file.frames == Array(0..<10))
  }

  @Test func `an end that is told with what came before it lies behind it`() throws {
    var studio = try Studio()
    try studio.begin()
    // All in one batch.
    for number in 0..<10 { studio.queue(studio.packet(number)) }
    for item in Studio.sound(0..<400) { studio.queue(item) }
    studio.queue.end(.sound)
    studio.queue.end(.picture)
    try studio.write()
    #expect(studio.counts == [10] && studio.disk.files.map(\.heard) == [[milliseconds(0..<400)]])
  }

  @Test func `boundaries beside a clip are known when its sound comes late`() throws {
    var studio = try Studio(.around(padding: frame(5), longest: frame(100), onlyFirst: false))
    try studio.begin()
    for boundary in [30, 33] { try studio.mark(boundary) }
    try studio.frames(0..<240)
    #expect(studio.news.clips.isEmpty)
    try studio.sound(0..<2000)
    #expect(studio.news.clips.map { $0.around.map(\.frame) } == [[33], [30]])
  }

  @Test func `sound that ends without having begun leaves clips without`() throws {
    var studio = try Studio()
    try studio.begin(sound: nil)
    try studio.frames(0..<10)
    #expect(studio.disk.files.isEmpty)
    try studio.end(.sound)
    #expect(try Self.file(studio).beginning.sound == nil && studio.disk.files[0].frames == Array(0..<9))
  }

  @Test func `both end in either order with the same clips`() throws {
    var all: [[UInt64]] = []
    for order in [[ClipStream.picture, .sound], [.sound, .picture]] {
      var studio = try Studio()
      try studio.begin()
      try studio.frames(0..<10)
      try studio.sound(0..<250)
      for stream in order { try studio.end(stream) }
      #expect(studio.disk.files.map(\.heard) == [[milliseconds(0..<250)]] && studio.disk.files[0].frames == Array(0..<10))
      all.append(studio.counts)
    }
    #expect(all == [[10], [10]])
  }

  // MARK: Silence

  @Test func `after the patience clips go on without sound`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    studio.now = ClipQueue<Studio.Item>.patience
    try studio.frames(10..<11)
    #expect(studio.disk.files.isEmpty)
    studio.now += 1
    try studio.frames(11..<12)
    #expect(try Self.file(studio).beginning.sound == nil && studio.disk.files[0].frames == Array(0..<11))
  }

  @Test func `silence in the middle ends the clip's sound and not the clip`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<90)
    try studio.frames(0..<10)
    studio.now += ClipQueue<Studio.Item>.patience + 1
    try studio.frames(10..<20)
    let file = try Self.file(studio)
    #expect(!file.hasSound && file.frames == Array(0..<19) && file.heard == [milliseconds(0..<90)])
    try studio.end(.picture)
    #expect(studio.counts == [20])
  }

  @Test func `sound that comes back is in the clips that begin then`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    studio.now = ClipQueue<Studio.Item>.patience + 1
    try studio.frames(10..<12)
    try studio.sound(400..<900)
    try studio.mark(15)
    try studio.frames(12..<20)
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.disk.files.map(\.beginning.sound) == [nil, "s16"])
    #expect(studio.disk.files.map(\.heard) == [[], [milliseconds(600..<800)]])
  }

  // MARK: Jumps

  @Test func `a jump of the picture ends its clip without the sound that has not come`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<90)
    try studio.frames(0..<10)
    try studio.flush(.picture)
    #expect(studio.counts == [10] && studio.disk.files[0].heard == [milliseconds(0..<90)])
    studio.offset = .milliseconds(40_000)
    try studio.flush(.sound)
    try studio.sound(0..<200)
    try studio.frames(0..<5)
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.counts == [10, 5] && studio.news.clips[1].record.start == .milliseconds(40_000))
    #expect(studio.disk.files.map(\.heard) == [[milliseconds(0..<90)], [milliseconds(0..<200)]])
  }

  @Test func `a jump before there was any sound leaves a clip without`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<10)
    try studio.flush(.picture)
    #expect(studio.counts == [10] && studio.disk.files.map(\.beginning.sound) == [nil])
  }

  @Test func `a jump of the sound forgets what was kept`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<3000)
    try studio.flush(.sound)
    try studio.frames(0..<5)
    #expect(studio.writer.kept.sound == 0 && studio.disk.files.isEmpty)
    try studio.sound(0..<200)
    #expect(try Self.file(studio).heard == [milliseconds(0..<160)])
  }

  @Test func `what is queued from before a jump belongs to the clip before it`() throws {
    var studio = try Studio(hasSound: false)
    try studio.begin(sound: nil)
    try studio.frames(0..<5)
    studio.queue(studio.packet(5))
    try studio.flush(.picture)
    try studio.frames(0..<3)
    try studio.end(.picture)
    #expect(studio.counts == [6, 3])
  }

  // MARK: Orders

  /// Numbers that look random and are the same each time.
  private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }

  /// A film of four shots, its streams in an order and in batches that the dice decide.
  private static func shuffled(_ mode: ClipPlan<Int>.Mode, _ seed: UInt64) throws -> Studio {
    var dice = Dice(state: seed)
    var studio = try Studio(mode)
    studio.keys = { $0 % 5 == 0 }
    var picture: [Studio.Item] = [.pictureFormat("h264", ClipPicture(width: 64, height: 48, rate: nil))]
    var shot: UInt64 = 1
    for number in 0..<100 {
      if [15, 40, 70].contains(number) {
        shot += 1
        picture.append(.mark(cut(shot, at: number), at: frame(number)))
      }
      picture.append(studio.packet(number))
    }
    var sound: [Studio.Item] = [.soundFormat("s16")] + Studio.sound(0..<4100, pieces: 70)
    picture.reverse()
    sound.reverse()
    var hasEnded: Set<ClipStream> = []
    while hasEnded.count < 2 {
      let stream = ClipStream.allCases.randomElement(using: &dice) ?? .picture
      for _ in 0..<Int.random(in: 1...30, using: &dice) {
        if let item = stream == .picture ? picture.popLast() : sound.popLast() {
          studio.queue(item)
        } else if hasEnded.insert(stream).inserted {
          studio.queue.end(stream)
        }
        if Bool.random(using: &dice) { try studio.write() }
      }
    }
    try studio.write()
    return studio
  }

  @Test(arguments: 0..<40)
  func `the order in which the streams come changes nothing`(_ seed: Int) throws {
    for mode in [ClipPlan<Int>.Mode.shots, .around(padding: frame(20), longest: frame(100), onlyFirst: false)] {
      let studio = try Self.shuffled(mode, UInt64(seed) &* 7919 &+ 1)
      let isShots = mode == .shots
      let expected = isShots ? [0..<15, 15..<40, 40..<70, 70..<100] : [0..<35, 20..<60, 50..<90]
      #expect(studio.disk.finished.map(\.frames) == expected.map { Array($0) })
      #expect(studio.disk.finished.map(\.heard) == expected.map { [frame($0.lowerBound)..<frame($0.upperBound)] })
      #expect(studio.paths == expected.indices.map { "\($0 + 1)" })
      #expect(studio.queue.mayLeave(.picture))
    }
  }
}
