/// Sound that follows where a stream's has ended, without a click: silence, or its end again and again.
///
/// ```swift
/// var sound = SoundContinuation(.loop, after: last, channels: 2, rate: 48_000)
/// let samples = sound.next(480)
/// ```
///
/// - What follows begins with the last 20 ms backwards, which fade out: the wave goes on where it was.
/// - A loop goes through all that it was given; its end and its beginning are crossfaded over 20 ms. What is too short for that,
///   40 ms, is followed by silence.
///
/// Samples are `[samples, channels]`, in any unit.
public struct SoundContinuation: Sendable {
  /// What is heard behind the fade-out.
  public enum Kind: String, CaseIterable, Sendable {
    case silence, loop
  }

  /// Seconds of a fade.
  public static let fade = 0.02

  private let channels: Int
  /// Samples of a fade.
  private let faded: Int
  /// The end backwards, `faded` samples at most.
  private var echo: [Double]
  /// Empty for silence.
  private let loop: [Double]
  /// Samples given so far.
  private var position = 0

  /// - Parameters:
  ///   - recent: what the stream ended with; only its last whole samples count.
  ///   - channels, rate: above 0; others give nothing but silence.
  public init(_ kind: Kind, after recent: [Double], channels: Int, rate: Int) {
    self.channels = max(1, channels)
    faded = max(1, Int(Double(max(1, rate)) * Self.fade))
    let count = recent.count / self.channels
    let (width, most) = (self.channels, faded)
    echo = (0..<min(most, count)).flatMap { recent[(count - 1 - $0) * width..<(count - $0) * width] }
    loop = kind == .loop && count >= 2 * faded ? Array(recent.prefix(count * self.channels)) : []
  }

  /// The next samples.
  public mutating func next(_ count: Int) -> [Double] {
    var samples: [Double] = []
    samples.reserveCapacity(max(0, count) * channels)
    for _ in 0..<max(0, count) {
      let fadesIn = Double(min(position, faded)) / Double(faded)
      for channel in 0..<channels {
        let index = position * channels + channel
        let before = index < echo.count ? echo[index] : 0
        samples.append(before * (1 - fadesIn) + looped(channel) * fadesIn)
      }
      // Around before it is too large to count.
      position += 1
      if position >= faded + Int(Int32.max) / 2 { position -= period * (Int(Int32.max) / 2 / period) }
    }
    return samples
  }

  private var period: Int { max(1, loop.count / channels - faded) }

  private func looped(_ channel: Int) -> Double {
    guard !loop.isEmpty else { return 0 }
    let place = position % period
    let value = loop[place * channels + channel]
    guard position >= period, place < faded else { return value }
    let share = (Double(place) + 0.5) / Double(faded)
    return loop[(period + place) * channels + channel] * (1 - share) + value * share
  }
}
