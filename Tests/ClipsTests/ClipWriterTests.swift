import Clips
import Shots
import Testing
import Timing

@Suite("Writing clips") struct ClipWriterTests {
  // MARK: Picture alone

  @Test func `without a stream of sound a file is begun with its first frame`() throws {
    var studio = try Studio(hasSound: false)
    try studio.begin(sound: nil)
    #expect(studio.disk.files.isEmpty)
    try studio.frames(3..<4)
    #expect(studio.disk.files.map(\.beginning.path) == ["1"] && studio.disk.files[0].beginning.sound == nil)
    try studio.frames(4..<5)
    #expect(studio.disk.files[0].frames == [3] && studio.disk.files[0].beginning.start == frame(3))
  }

  @Test func `a clip is told when the next shot begins, with what was in it`() throws {
    var studio = try Studio(hasSound: false)
    studio.offset = .milliseconds(5000)
    try studio.begin(sound: nil)
    try studio.frames(0..<10)
    try studio.mark(10)
    #expect(studio.news.clips.isEmpty)
    try studio.frames(10..<12)
    let clip = try #require(studio.news.clips.first)
    #expect(clip.start == 0 && clip.end == frame(10) && !clip.isAround && clip.around.isEmpty)
    let record = clip.record
    #expect(record.path == "1" && record.videoName == "film" && record.frames == 10 && record.shot == 1 && record.boundary == nil)
    #expect(record.start == .milliseconds(5000) && record.end == .milliseconds(5400))
    #expect(record.width == 64 && record.height == 48 && record.rate == FrameRate(25))
    try studio.end(.picture)
    #expect(studio.counts == [10, 2] && studio.news.clips[1].record.boundary?.frame == 10)
    #expect(studio.disk.files.map(\.frames) == [Array(0..<10), [10, 11]] && studio.disk.files[1].times == [frame(10), frame(11)])
  }

  @Test func `frames that are coded out of order are written in that order`() throws {
    var studio = try Studio(hasSound: false)
    studio.keys = { $0 == 0 || $0 == 7 }
    try studio.begin(sound: nil)
    try studio.mark(7)
    try studio.frames([0, 3, 1, 2, 6, 4, 5, 7, 8])
    #expect(studio.disk.files.map(\.frames) == [[0, 3, 1, 2, 6, 4, 5], [7]])
    try studio.end(.picture)
    #expect(studio.disk.files.map(\.frames) == [[0, 3, 1, 2, 6, 4, 5], [7, 8]])
  }

  // MARK: Rounded times

  /// A frame of 30 a second as Matroska has it: its time in whole milliseconds, its duration apart.
  private func rounded(_ number: Int) -> Studio.Item {
    let time = ClockTime.milliseconds(UInt64((Double(number) * 1000 / 30).rounded()))
    return .picture(number, PacketTime(running: time, stream: time, duration: 33_333_333, isKey: true))
  }

  @Test(arguments: [1, 2, 3, 10, 11, 12]) func `clips of rounded times adjoin, in picture, sound and manifest`(_ length: Int) throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<5000)
    for number in 0..<length * 4 {
      if number > 0, number % length == 0 {
        let boundary = Boundary(kind: .cut, shot: UInt64(number / length) + 1, frame: UInt64(number), score: 1, detector: "test")
        guard case .picture(_, let time) = rounded(number) else { return }
        try studio.give(.mark(boundary, at: time.running))
      }
      try studio.give(rounded(number))
    }
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.counts == [UInt64](repeating: UInt64(length), count: 4))
    for (clip, next) in zip(studio.news.clips, studio.news.clips.dropFirst()) {
      #expect(clip.end == next.start && clip.record.end == next.record.start)
    }
    for (clip, file) in zip(studio.news.clips, studio.disk.files) {
      #expect(file.heard == [clip.start..<clip.end])
      #expect(Array(zip(file.times, file.durations)).last.map { $0 + $1 } == clip.end)
      #expect(zip(file.times, zip(file.durations, file.times.dropFirst())).allSatisfy { $0 + $1.0 <= $1.1 })
    }
  }

  @Test func `clips around boundaries end where the next frame begins, and so they do at a new format`() throws {
    var studio = try Studio(.around(padding: .milliseconds(200), longest: .milliseconds(1000), onlyFirst: false), hasSound: false)
    try studio.begin(sound: nil)
    try studio.give(.mark(cut(2, at: 10), at: .milliseconds(400)))
    for number in 0..<30 { try studio.give(rounded(number)) }
    #expect(studio.news.clips.map { [$0.start, $0.end] } == [[.milliseconds(200), .milliseconds(600)]])
    var other = try Studio(hasSound: false)
    try other.begin(sound: nil)
    for number in 0..<4 { try other.give(rounded(number)) }
    try other.begin(picture: "h265", sound: nil)
    for number in 4..<8 { try other.give(rounded(number)) }
    try other.end(.picture)
    #expect(
      other.news.clips.map { [$0.start, $0.end] } == [[0, .milliseconds(133)], [.milliseconds(133), .milliseconds(233) + 33_333_333]])
    #expect(other.disk.files.map(\.beginning.picture) == ["h264", "h265"] && other.counts == [4, 4])
  }

  @Test func `a stream that leaves is waited for by nobody, and may come again`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<200)
    try studio.frames(0..<5)
    studio.queue.leave(.sound)
    #expect(studio.queue.admits(.sound, reaching: 0) == false && studio.queue.mayLeave(.sound))
    try studio.frames(5..<400)
    #expect(studio.disk.files[0].frames == Array(0..<399) && !studio.disk.files[0].hasSound)
    studio.queue.begin(.sound)
    #expect(studio.queue.admits(.sound, reaching: frame(400)) == true)
    studio.queue.leave(.sound)
    try studio.end(.picture)
    #expect(studio.counts == [400])
  }

  @Test func `a boundary without a key frame is told of once`() throws {
    var studio = try Studio(hasSound: false)
    studio.keys = { $0 == 0 }
    try studio.begin(sound: nil)
    for boundary in [5, 9] {
      try studio.mark(boundary)
      try studio.frames(boundary - 4..<boundary + 4)
    }
    #expect(studio.news.missedKeys == 1)
  }

  @Test func `a stream without frames leaves nothing`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<500)
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.disk.files.isEmpty && studio.news.clips.isEmpty)
  }

  @Test func `frames before any format are of no clip`() throws {
    var studio = try Studio(hasSound: false)
    try studio.frames(0..<5)
    #expect(studio.disk.files.isEmpty)
  }

  // MARK: Formats

  @Test func `a new format ends the clip, and the next has it`() throws {
    var studio = try Studio(hasSound: false)
    try studio.begin(sound: nil)
    try studio.frames(0..<5)
    try studio.begin(picture: "h265", width: 96, sound: nil)
    try studio.frames(5..<12)
    try studio.end(.picture)
    #expect(studio.counts == [5, 7] && studio.news.clips.map(\.record.width) == [64, 96])
    #expect(studio.disk.files.map(\.beginning.picture) == ["h264", "h265"])
  }

  @Test func `the same format again changes nothing`() throws {
    var studio = try Studio(hasSound: false)
    try studio.begin(sound: nil)
    try studio.frames(0..<5)
    try studio.begin(sound: nil)
    try studio.frames(5..<8)
    try studio.end(.picture)
    #expect(studio.counts == [8])
  }

  @Test func `a new format ends the clip where its sound ends too`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.frames(0..<5)
    try studio.begin(picture: "h265")
    try studio.frames(5..<10)
    #expect(studio.news.clips.isEmpty)
    try studio.sound(0..<400)
    try studio.end(.picture)
    try studio.end(.sound)
    #expect(studio.counts == [5, 5] && studio.disk.files.map(\.heard) == [[milliseconds(0..<200)], [milliseconds(200..<400)]])
  }

  // MARK: Names

  @Test func `names that are taken are passed over, and numbers go on behind them`() throws {
    let disk = Disk()
    disk.names = ["clip1", "clip2", "clip4"]
    var studio = try Studio(names: "clip%d", hasSound: false, disk: disk)
    try studio.begin(sound: nil)
    for shot in 0..<3 {
      try studio.frames(shot * 5..<shot * 5 + 5)
      try studio.mark(shot * 5 + 5)
      // Names that become free are none for later clips.
      if shot > 0 { disk.names.subtract(["clip1", "clip2"]) }
    }
    try studio.end(.picture)
    #expect(studio.paths == ["clip3", "clip5", "clip6"])
  }

  @Test func `a pattern without a number gets one where it is needed`() throws {
    var studio = try Studio(names: "clip.mp4", hasSound: false)
    try studio.begin(sound: nil)
    try studio.frames(0..<5)
    try studio.mark(5)
    try studio.frames(5..<10)
    try studio.mark(10)
    try studio.frames(10..<15)
    try studio.end(.picture)
    #expect(studio.paths == ["clip.mp4", "clip-2.mp4", "clip-3.mp4"])
  }

  @Test func `names that exist are taken where that is asked for`() throws {
    let disk = Disk()
    disk.names = ["1"]
    var studio = try Studio(hasSound: false, overwriting: true, disk: disk)
    try studio.begin(sound: nil)
    try studio.frames(0..<5)
    try studio.end(.picture)
    #expect(studio.paths == ["1"])
  }

  @Test func `names tell the shot and where it starts in the medium`() throws {
    var studio = try Studio(names: "{shot}-{time}", hasSound: false)
    studio.offset = .milliseconds(61_000)
    try studio.begin(sound: nil)
    try studio.frames(0..<25)
    try studio.mark(25)
    try studio.frames(25..<30)
    try studio.end(.picture)
    #expect(studio.paths == ["1-00-01-01.000", "2-00-01-02.000"])
  }

  @Test func `files that are open side by side are made under different names`() throws {
    var studio = try Studio(.around(padding: frame(20), longest: frame(100), onlyFirst: false), hasSound: false)
    try studio.begin(sound: nil)
    for boundary in [30, 35] { try studio.mark(boundary) }
    try studio.frames(0..<80)
    #expect(studio.disk.files.map(\.beginning.path) == ["1", "2"] && studio.paths == ["1", "2"])
  }

  // MARK: Lengths

  @Test func `clips that are too short leave nothing, and take no number`() throws {
    var studio = try Studio(hasSound: false, minimumDuration: frame(5))
    try studio.begin(sound: nil)
    try studio.frames(0..<4)
    try studio.mark(4)
    try studio.frames(4..<9)
    try studio.mark(9)
    try studio.frames(9..<13)
    try studio.end(.picture)
    #expect(studio.counts == [5] && studio.paths == ["1"] && studio.disk.finished.map(\.frames) == [Array(4..<9)])
  }

  @Test func `a clip around a boundary tells of the others inside, and not of those outside`() throws {
    var studio = try Studio(.around(padding: frame(20), longest: frame(100), onlyFirst: false), hasSound: false)
    try studio.begin(sound: nil)
    for boundary in [15, 40, 50, 75] { try studio.mark(boundary) }
    try studio.frames(0..<110)
    try studio.end(.picture)
    #expect(studio.news.clips.map(\.isAround) == [true, true, true, true])
    #expect(studio.news.clips.map { $0.around.map(\.frame) } == [[], [50], [40], []])
    #expect(studio.news.clips.map(\.start) == [0, frame(20), frame(30), frame(55)])
    #expect(studio.news.clips.map(\.end) == [frame(35), frame(60), frame(70), frame(95)])
  }

  @Test func `boundaries of shots that follow one another are in no clip`() throws {
    var studio = try Studio(hasSound: false)
    try studio.begin(sound: nil)
    for shot in 0..<4 {
      try studio.frames(shot * 5..<shot * 5 + 5)
      try studio.mark(shot * 5 + 5)
    }
    try studio.end(.picture)
    #expect(studio.news.clips.count == 4 && studio.news.clips.allSatisfy { $0.around.isEmpty })
  }

  // MARK: Stops and faults

  @Test func `what is open when nothing more comes is finished as it is`() throws {
    var studio = try Studio()
    try studio.begin()
    try studio.sound(0..<150)
    try studio.frames(0..<10)
    try studio.close()
    #expect(studio.counts == [10] && studio.disk.files[0].heard == [milliseconds(0..<150)])
  }

  @Test(arguments: [Disk.Operation.open, .write, .sound, .finish])
  func `what was complete stays when the disk breaks, and nothing else does`(_ operation: Disk.Operation) throws {
    let disk = Disk()
    disk.broken = (operation, 1)
    var studio = try Studio(disk: disk)
    try studio.begin()
    try studio.sound(0..<2000)
    try studio.frames(0..<5)
    try studio.mark(5)
    #expect(throws: Disk.Broken.self) {
      try studio.frames(5..<10)
      try studio.mark(10)
      try studio.frames(10..<15)
    }
    #expect(studio.paths == ["1"] && disk.finished.map(\.frames) == [Array(0..<5)])
  }

  @Test func `a clip is told of before the next one's file is begun`() throws {
    let disk = Disk()
    disk.broken = (.open, 1)
    var studio = try Studio(hasSound: false, disk: disk)
    // All in one batch.
    studio.queue(.pictureFormat("h264", ClipPicture(width: 1, height: 1, rate: nil)))
    for number in 0..<3 { studio.queue(studio.packet(number)) }
    studio.queue(.mark(cut(2, at: 3), at: frame(3)))
    studio.queue(studio.packet(3))
    #expect(throws: Disk.Broken.self) { try studio.write() }
    #expect(studio.counts == [3])
  }

  @Test func `what is kept is bounded, however long the stream`() throws {
    var studio = try Studio()
    try studio.begin()
    for second in 0..<100 {
      try studio.sound(second * 1000..<second * 1000 + 1000)
      try studio.frames(second * 25..<second * 25 + 25)
      try studio.mark(second * 25 + 25)
    }
    #expect(studio.writer.kept.sound <= 70 && studio.writer.kept.boundaries <= 3)
  }
}
