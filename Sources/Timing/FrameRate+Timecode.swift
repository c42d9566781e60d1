extension FrameRate {
  private init(film numerator: UInt32, _ denominator: UInt32) { (self.numerator, self.denominator) = (numerator, denominator) }

  /// The rates that timecodes have, slowest first: SMPTE ST 12-1's, and 48. A label has two digits for its frames.
  public static let ofTimecodes: [FrameRate] = [
    FrameRate(film: 24000, 1001), FrameRate(film: 24, 1), FrameRate(film: 25, 1), FrameRate(film: 30000, 1001), FrameRate(film: 30, 1),
    FrameRate(film: 48000, 1001), FrameRate(film: 48, 1), FrameRate(film: 50, 1), FrameRate(film: 60000, 1001), FrameRate(film: 60, 1),
  ]

  /// The rate that a list's timecodes count at, so that their labels are times:
  ///
  /// - this one, where timecodes have it or one within 0.04 % of it (24 and 23.976 are 0.1 % apart),
  /// - a whole part of it (119.88 → 59.94, 1000 → 50) or a whole multiple (15 → 30, 0.2 → 25), on which all frames lie;
  ///   of several the fastest part, and of multiples 25 before the slowest,
  /// - else the next faster whole one, where every frame has a label of its own; 60 if there is none.
  public var timecodeRate: FrameRate {
    if let near = Self.ofTimecodes.first(where: { isWhole(perSecond / $0.perSecond, at: 1) }) { return near }
    if let part = Self.ofTimecodes.last(where: { isWhole(perSecond / $0.perSecond) }) { return part }
    let multiples = Self.ofTimecodes.filter { isWhole($0.perSecond / perSecond) }
    if let multiple = multiples.contains(.fallback) ? .fallback : multiples.first { return multiple }
    return Self.ofTimecodes.first { $0.denominator == 1 && $0.perSecond > perSecond } ?? FrameRate(film: 60, 1)
  }

  /// Whether it is a whole number above 0, or the given one.
  private func isWhole(_ ratio: Double, at number: Double? = nil) -> Bool {
    let whole = number ?? ratio.rounded()
    return whole >= 1 && abs(ratio / whole - 1) < 0.0004
  }

  /// What `duration` is a frame of: the rate of timecodes that is nearest, if it is within a millisecond of a frame; nil
  /// where none is. Of durations that are rounded to milliseconds, as Matroska's, whole rates are made, whose labels are times.
  public static func guessed(from duration: ClockTime) -> FrameRate? {
    func distance(_ rate: FrameRate) -> ClockTime {
      let frame = rate.nanoseconds(of: 1)
      return max(frame, duration) - min(frame, duration)
    }
    let isRounded = duration % ClockTime.milliseconds(1) == 0
    let nearest = ofTimecodes.filter { !isRounded || $0.denominator == 1 }.min { distance($0) < distance($1) }
    return nearest.flatMap { distance($0) <= ClockTime.milliseconds(1) ? $0 : nil }
  }

  /// Reads a rate as people write it: `25`, `30000/1001`, or `29.97` and its like (23.976, 23.98, 59.94, 119.88), which
  /// mean so many thousandths of 1001. Other decimals are taken as they stand. Nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard let numerator = Int(parts[0]), let denominator = Int(parts[1]) else { return nil }
      self.init(numerator, denominator)
      return
    }
    let digits = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = digits.first, (1...9).contains(whole.utf8.count),
      digits.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let seconds = Int(whole)
    else { return nil }
    guard digits.count == 2 else {
      self.init(seconds, 1)
      return
    }
    let fraction = digits[1]
    guard (1...6).contains(fraction.utf8.count), let parts = Int(fraction) else { return nil }
    let scale = (0..<fraction.utf8.count).reduce(1) { scale, _ in scale * 10 }
    let (nominal, written) = (seconds + 1, Double(seconds) + Double(parts) / Double(scale))
    // Rounded to two digits or more, or cut off after them.
    if fraction.utf8.count >= 2, abs(Double(nominal) * 1000 / 1001 - written) < 0.0065 {
      self.init(nominal * 1000, 1001)
    } else {
      self.init(seconds * scale + parts, scale)
    }
  }
}
