import Pixels
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A film that travels, faded by the formula in double precision, as a reference of its own.
private struct FadedFilm {
  static let (width, height) = (320, 180)
  /// Luma, then chroma at half the size.
  struct Frame {
    var luma: [UInt8]
    var chroma: [UInt8]
  }

  var range = ColorRange.limited
  var level = FadeLevel.black
  /// Pixels a frame.
  var pan = 1.5

  var components: [SampleComponent] {
    [(SampleRole.luma, Self.width), (.chroma, Self.width / 2)].compactMap { role, columns in
      SampleComponent(role: role, columns: columns, step: 1, word: .byte, depth: 8, range: range)
    }
  }

  /// Hills, a grid of edges, grain, and a ball that crosses the picture; levels 25 … 225.
  func clean(_ frame: Int) -> Frame {
    func luma(_ x: Int, _ y: Int) -> UInt8 {
      let (u, v) = (Double(x) + pan * Double(frame), Double(y) + pan / 3 * Double(frame))
      // The widest makes the picture as a whole brighter while it travels.
      let hills = 22 * sin(u / 120 - 1.4) + 40 * sin(u / 37) * cos(v / 23) + 20 * sin((u + 2 * v) / 11)
      let edges = (Int(u) / 24 + Int(v) / 18) % 2 == 0 ? 15.0 : -15.0
      let grain = Double((x * 73 + y * 151 + frame * 977) * 40503 >> 9 & 7) - 3.5
      let ball = (Double(x) - 6 * Double(frame), Double(y) - 90)
      let inside = ball.0 * ball.0 + ball.1 * ball.1 < 900
      return UInt8(min(225, max(25, (inside ? 210 : 118 + hills + edges) + grain)))
    }
    func chroma(_ x: Int, _ y: Int) -> UInt8 { UInt8(128 + 40 * sin((Double(x) + pan / 2 * Double(frame)) / 19) * cos(Double(y) / 13)) }
    let (w, h) = (Self.width, Self.height)
    return Frame(
      luma: (0..<w * h).map { luma($0 % w, $0 / w) }, chroma: (0..<w * h / 4).map { chroma($0 % (w / 2), $0 / (w / 2)) })
  }

  func faded(_ frame: Frame, gain: Double) -> Frame {
    let origin: Double = level == .white ? (range == .limited ? 235 : 255) : (range == .limited ? 16 : 0)
    func fade(_ samples: [UInt8], _ origin: Double) -> [UInt8] {
      samples.map { UInt8((gain * Double($0) + (1 - gain) * origin).rounded()) }
    }
    return Frame(luma: fade(frame.luma, origin), chroma: fade(frame.chroma, 128))
  }

  func look(_ frame: Frame) -> FadeLook {
    var meter = FadeLook.Meter(width: Self.width, height: Self.height)
    guard let luma = components.first else { return meter.look }
    for y in meter.sampledRows { meter.add(luma, frame.luma.span.bytes.extracting(y * Self.width..<(y + 1) * Self.width), y: y) }
    return meter.look
  }

  func restored(_ frame: Frame, gain: Double, maxGain: Double = 10) -> Frame {
    let inverse = FadeInverse(components, gain: gain, level: level, maxGain: maxGain)
    var frame = frame
    inverse.applyToRows(0, &frame.luma, Self.width)
    inverse.applyToRows(1, &frame.chroma, Self.width / 2)
    return frame
  }
}

extension FadeInverse {
  fileprivate func applyToRows(_ index: Int, _ samples: inout [UInt8], _ columns: Int) {
    for start in stride(from: 0, to: samples.count, by: columns) {
      var row = Array(samples[start..<start + columns])
      var span = row.mutableSpan
      var bytes = span.mutableBytes
      apply(index, to: &bytes)
      samples.replaceSubrange(start..<start + columns, with: row)
    }
  }
}

private func meanError(_ a: [UInt8], _ b: [UInt8]) -> Double {
  Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
}

/// A component of one row, for tests of single samples.
private func component(_ role: SampleRole, _ columns: Int, depth: Int = 8, _ range: ColorRange = .limited) throws -> SampleComponent {
  try #require(
    SampleComponent(role: role, columns: columns, step: depth > 8 ? 2 : 1, word: depth > 8 ? .little16 : .byte, depth: depth, range: range))
}

@Suite("Fades that are undone")
struct FadeTests {
  enum Shape: CaseIterable {
    case linear, easeIn, easeOut, easeBoth

    func callAsFunction(_ u: Double) -> Double {
      switch self {
      case .linear: u
      case .easeIn: u * u
      case .easeOut: 1 - (1 - u) * (1 - u)
      case .easeBoth: u * u * (3 - 2 * u)
      }
    }
  }

  @Test(arguments: [6, 12, 24, 48], Shape.allCases)
  func `come within four levels of the clean film that moves`(length: Int, shape: Shape) {
    for (range, level, backwards) in [(ColorRange.limited, FadeLevel.black, false), (.full, .black, true), (.limited, .white, true)] {
      let film = FadedFilm(range: range, level: level)
      let gains = (0...length).map { shape(1 - Double($0) / Double(length)) }
      let clean = (0...length).map { film.clean(backwards ? length - $0 : $0) }
      let faded = zip(clean, gains).map { film.faded($0, gain: $1) }
      let found = FadeLook.gains(of: faded.dropFirst().map(film.look), reference: film.look(clean[0]), level: level)
      #expect(found.count == length)
      for (index, gain) in zip(1..., found) where gains[index] >= 0.15 {
        let restored = film.restored(faded[index], gain: gain)
        let errors = (meanError(restored.luma, clean[index].luma), meanError(restored.chroma, clean[index].chroma))
        #expect(errors.0 < 4 && errors.1 < 4, "\(range), \(level), gain \(gains[index]) found as \(gain): \(errors)")
      }
      #expect(found.last == 0, "the last frame is \(level)")
    }
  }

  @Test(arguments: [8, 10, 12, 16], [ColorRange.limited, .full])
  func `are the inverse of the formula for every sample and gain`(depth: Int, range: ColorRange) throws {
    let scale = 1 << (depth - 8)
    for role in [SampleRole.luma, .chroma, .red] {
      let (low, high) = range == .limited ? (16 * scale, (role == .chroma ? 240 : 235) * scale) : (0, (1 << depth) - 1)
      for (level, gain) in [(FadeLevel.black, 1.0), (.black, 0.5), (.black, 0.15), (.white, 0.9), (.white, 0.2)] {
        let origin = role == .chroma ? 128 * scale : level == .black ? low : high
        let samples = Array(stride(from: 0, to: 1 << depth, by: depth == 16 ? 7 : 1))
        let inverse = FadeInverse([try component(role, samples.count, depth: depth, range)], gain: gain, level: level, maxGain: 10)
        var bytes = samples.flatMap { depth > 8 ? [UInt8($0 & 0xFF), UInt8($0 >> 8)] : [UInt8($0)] }
        inverse.applyToRows(0, &bytes, bytes.count)
        for (index, sample) in samples.enumerated() {
          let found = depth > 8 ? Int(bytes[2 * index]) | Int(bytes[2 * index + 1]) << 8 : Int(bytes[index])
          let clean = (Double(origin) + Double(sample - origin) / gain).rounded()
          let expected = sample <= low || sample >= high ? sample : Int(min(max(clean, Double(low)), Double(high)))
          #expect(found == expected, "\(role) \(sample), gain \(gain) to \(level)")
        }
      }
    }
  }

  @Test func `amplify nothing beyond the largest gain`() throws {
    for maxGain in [1.0, 2, 8] {
      let inverse = FadeInverse([try component(.luma, 3)], gain: 0.01, level: .black, maxGain: maxGain)
      var samples: [UInt8] = [17, 20, 30]
      inverse.applyToRows(0, &samples, 3)
      #expect(samples == [UInt8(16 + maxGain), UInt8(16 + 4 * maxGain), UInt8(16 + 14 * maxGain)])
    }
  }

  @Test func `leave crushed blacks and clipped highlights as they are`() throws {
    for level in [FadeLevel.black, .white] {
      let inverse = FadeInverse([try component(.luma, 6), try component(.chroma, 2)], gain: 0.3, level: level, maxGain: 10)
      let crushed: [UInt8] = [0, 9, 16, 235, 244, 255]
      var (luma, chroma) = (crushed, [UInt8(3), 250])
      inverse.applyToRows(0, &luma, 6)
      inverse.applyToRows(1, &chroma, 2)
      #expect(luma == crushed && chroma == [3, 250])
    }
  }

  @Test func `keep the bits of a word that are not the sample's`() throws {
    let high = try #require(SampleComponent(role: .luma, columns: 2, step: 4, word: .big16, depth: 10, shift: 6, range: .full))
    var bytes: [UInt8] = [0x10, 0x15, 0xAA, 0xBB, 0x20, 0x2A, 0xCC, 0xDD]
    FadeInverse([high], gain: 0.5, level: .black, maxGain: 4).applyToRows(0, &bytes, 8)
    // 0x1015 is sample 0x40 with the bits 0x15 below.
    #expect(bytes == [0x20, 0x15, 0xAA, 0xBB, 0x40, 0x2A, 0xCC, 0xDD])
  }

  @Test func `of nothing to see, or of gains that are no numbers, change nothing`() throws {
    let film = FadedFilm()
    let black = film.faded(film.clean(0), gain: 0)
    #expect(FadeLook.gains(of: [film.look(black)], reference: film.look(film.clean(0)), level: .black) == [0])
    #expect(FadeLook.gains(of: [film.look(film.clean(0))], reference: film.look(black), level: .black) == [0])
    #expect(FadeLook.gains(of: [], reference: film.look(black), level: .white).isEmpty)
    let small = FadeLook.Meter(width: 1, height: 1).look
    #expect(FadeLook.gains(of: [small], reference: film.look(black), level: .white) == [1])
    for (gain, maxGain) in [(Double.nan, 10.0), (0.5, .nan), (0.5, -3), (2, 10), (1, 10)] {
      let clean = film.clean(3)
      #expect(film.restored(clean, gain: gain, maxGain: maxGain).luma == clean.luma)
    }
  }
}

@Suite("A look")
struct FadeLookTests {
  @Test(arguments: [(1, 1), (3, 5), (31, 17), (33, 19), (64, 400)])
  func `says the mean of each cell, whatever the size`(width: Int, height: Int) throws {
    let luma = try component(.luma, width, .full)
    var meter = FadeLook.Meter(width: width, height: height)
    let row = (0..<width).map { UInt8($0 * 255 / max(1, width - 1)) }
    for y in meter.sampledRows { meter.add(luma, row.span.bytes, y: y) }
    let look = meter.look
    #expect(look.columns == min(32, width) && look.rows == min(18, height) && look.levels.count == look.columns * look.rows)
    for cell in 0..<look.columns {
      let samples = row[(cell * width / look.columns)..<((cell + 1) * width / look.columns)]
      let mean = Float(samples.reduce(0) { $0 + Double($1) } / Double(samples.count) / 255)
      for y in 0..<look.rows { #expect(abs(look.levels[y * look.columns + cell] - mean) < 1e-5) }
    }
  }

  @Test func `of white is 1 and of black 0, in every range and depth`() throws {
    for (depth, range, black, white) in [
      (8, ColorRange.limited, 16, 235), (8, .full, 0, 255), (10, .limited, 64, 940), (10, .full, 0, 1023),
    ] {
      for (sample, level) in [(black, Float(0)), (white, 1)] {
        var meter = FadeLook.Meter(width: 4, height: 2)
        var words = Array(repeating: UInt16(sample).littleEndian, count: 4)
        for role in [SampleRole.red, .green, .blue, .chroma] {
          let component = try component(role, 4, depth: depth, range)
          if depth == 8 { words = Array(repeating: UInt16(sample | sample << 8), count: 4) }
          for y in meter.sampledRows { meter.add(component, words.span.bytes, y: y) }
        }
        #expect(meter.look.levels.allSatisfy { abs($0 - level) < 1e-5 })
      }
    }
  }
}
