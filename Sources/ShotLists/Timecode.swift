import Timing

/// A SMPTE ST 12 timecode, HH:MM:SS:FF, counted in frames and never in seconds: at 23.976 it runs behind the clock by
/// definition and stays exact on every frame.
///
/// Drop-frame counting leaves out the numbers 0 and 1 (29.97; 0…3 at 59.94) of every minute but each tenth, so that the
/// label keeps up with the clock; it is written with a semicolon before the frames. Hours wrap at 24.
public struct Timecode: Hashable, Sendable, CustomStringConvertible {
  /// 0 … 23.
  public let hours: UInt64
  /// 0 … 59.
  public let minutes: UInt64
  /// 0 … 59, as labels count them: not seconds of the clock at 23.976 or 29.97.
  public let seconds: UInt64
  /// From 0 to the rate's `FrameRate/nominal` − 1.
  public let frames: UInt64
  /// Whether its rate's drop-frame counting made it; never at a rate without `FrameRate/hasDropFrame`.
  public let isDropFrame: Bool

  /// The label of frame `frame`. `dropFrame` has an effect only where the rate has it.
  public init(frame: UInt64, rate: FrameRate, dropFrame: Bool) {
    let nominal = rate.nominal
    isDropFrame = dropFrame && rate.hasDropFrame
    var number = frame
    if isDropFrame {
      let drop = nominal / 15
      let perMinute = nominal * 60 - drop
      let perTen = perMinute * 10 + drop
      number %= perTen * 6 * 24
      let (tens, rest) = (number / perTen, number % perTen)
      // The first minute of ten is whole; each of the other nine lacks `drop` numbers at its beginning.
      let minutesBegun = rest < nominal * 60 ? 0 : 1 + (rest - nominal * 60) / perMinute
      number += drop * (tens * 9 + minutesBegun)
    }
    frames = number % nominal
    seconds = number / nominal % 60
    minutes = number / nominal / 60 % 60
    hours = number / nominal / 3600 % 24
  }

  /// A label that a frame says itself, as `rate` counts. Numbers that no label has become the last ones that one has.
  public init(hours: UInt64, minutes: UInt64, seconds: UInt64, frames: UInt64, dropFrame: Bool, rate: FrameRate) {
    (self.hours, self.minutes, self.seconds) = (min(hours, 23), min(minutes, 59), min(seconds, 59))
    isDropFrame = dropFrame && rate.hasDropFrame
    let left = isDropFrame && self.minutes % 10 != 0 && self.seconds == 0 ? rate.nominal / 15 : 0
    self.frames = max(left, min(frames, rate.nominal - 1))
  }

  /// The label of the same moment where `rate` is counted, and not `other`: 12 frames of 60 are 6 of 30.
  func counted(at rate: FrameRate, from other: FrameRate) -> Timecode {
    Timecode(
      hours: hours, minutes: minutes, seconds: seconds, frames: scaled(frames * 2, by: rate.nominal, over: other.nominal * 2),
      dropFrame: isDropFrame, rate: rate)
  }

  /// Reads `HH:MM:SS:FF` or, drop-frame, `HH:MM:SS;FF`. `nil` for anything else, for numbers out of range and for
  /// labels that drop-frame counting leaves out.
  public init?(_ text: some StringProtocol, rate: FrameRate) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 11, bytes[2] == 0x3A, bytes[5] == 0x3A, bytes[8] == 0x3A || bytes[8] == 0x3B else {
      return nil
    }
    func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
      guard digits.count <= 4, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      return digits.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }
    guard let h = number(bytes[0..<2]), let m = number(bytes[3..<5]), let s = number(bytes[6..<8]),
      let f = number(bytes[9...]), h < 24, m < 60, s < 60, f < rate.nominal
    else { return nil }
    let drop = bytes[8] == 0x3B
    if drop, !rate.hasDropFrame || (m % 10 != 0 && s == 0 && f < rate.nominal / 15) { return nil }
    (hours, minutes, seconds, frames, isDropFrame) = (h, m, s, f, drop)
  }

  /// The frame that has this label, less than 24 hours from the beginning.
  public func frame(at rate: FrameRate) -> UInt64 {
    let nominal = rate.nominal
    let total = hours * 60 + minutes
    let number = (total * 60 + seconds) * nominal + frames
    return isDropFrame ? number - nominal / 15 * (total - total / 10) : number
  }

  public var description: String {
    "\(padded(hours, 2)):\(padded(minutes, 2)):\(padded(seconds, 2))\(isDropFrame ? ";" : ":")\(padded(frames, 2))"
  }
}

/// `HH:MM:SS.mmm`, rounded to the nearest millisecond. Hours grow beyond two digits.
///
/// Ties, which are frequent at 29.97 frames a second, go where PySceneDetect's arithmetic takes them: its doubles are a
/// little above or below the tie.
public func clockText(_ nanoseconds: UInt64) -> String {
  let minute: UInt64 = 60_000_000_000
  let minutes = nanoseconds / minute
  let inDouble =
    Double(nanoseconds) / 1e9 - Double(minutes / 60) * 3600 - Double(minutes % 60) * 60
  let rest = roundedMilliseconds(nanoseconds % minute, inDouble: inDouble)
  let total = minutes * 60 + rest / 1000
  return "\(padded(total / 3600, 2)):\(padded(total / 60 % 60, 2)):\(padded(total % 60, 2)).\(padded(rest % 1000, 3))"
}

/// `S.mmm`, rounded likewise.
func secondsText(_ nanoseconds: UInt64) -> String {
  let total = roundedMilliseconds(nanoseconds, inDouble: Double(nanoseconds) / 1e9)
  return "\(total / 1000).\(padded(total % 1000, 3))"
}

/// A tie goes to the side of it on which `seconds`, the same time as a double, lies; if on neither, to even.
private func roundedMilliseconds(_ nanoseconds: UInt64, inDouble seconds: Double) -> UInt64 {
  let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
  let half: UInt64 = 500_000
  if rest != half { return rest > half ? whole + 1 : whole }
  let side = (-Double(nanoseconds)).addingProduct(seconds, 1e9)
  return side > 0 || (side == 0 && whole % 2 == 1) ? whole + 1 : whole
}

/// In decimal digits, with zeros before it up to `width`.
package func padded(_ number: UInt64, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
