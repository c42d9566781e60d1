import Extension
import Testing

@Suite("Sound that goes on") struct SoundContinuationTests {
  private func wave(_ count: Int) -> [Double] { (0..<count).map { Double($0 % 100) - 50 } }

  @Test("Silence begins with the end backwards, which fades out over 20 ms, and then is zero")
  func silence() {
    var sound = SoundContinuation(.silence, after: wave(5000), channels: 1, rate: 48_000)
    let samples = sound.next(2000)
    #expect(samples.count == 2000 && samples[0] == wave(5000).last && samples.dropFirst(960).allSatisfy { $0 == 0 })
    for index in 0..<960 { #expect(abs(samples[index] - wave(5000)[4999 - index] * (1 - Double(index) / 960)) < 1e-9) }
  }

  @Test("Pieces of any size are one sound")
  func pieces() {
    for kind in SoundContinuation.Kind.allCases {
      var (whole, parts) = (
        SoundContinuation(kind, after: wave(9000), channels: 2, rate: 8000),
        SoundContinuation(kind, after: wave(9000), channels: 2, rate: 8000)
      )
      let samples = whole.next(20_000)
      #expect(samples.count == 40_000)
      var made: [Double] = []
      for size in [1, 0, 7, 160, 4096, 15_736] { made += parts.next(size) }
      #expect(made == samples)
    }
  }

  @Test("A loop has the period of what it was given less the crossfade, and no step larger than its own")
  func loop() {
    // A slow ramp up and down, so that any seam shows.
    let given = (0..<8000).map { 100 * Double(min($0, 8000 - $0)) / 4000 }
    var sound = SoundContinuation(.loop, after: given, channels: 1, rate: 8000)
    let samples = sound.next(40_000)
    let period = 8000 - 160
    for index in stride(from: 2 * period, to: 4 * period, by: 97) { #expect(abs(samples[index] - samples[index - period]) < 1e-9) }
    let steps = zip(samples, samples.dropFirst()).map { abs($0 - $1) }
    #expect((steps.max() ?? 1) < 0.1, "\(steps.max() ?? 1)")
  }

  @Test("What is too short to loop, or nothing at all, is followed by silence")
  func short() {
    for count in [0, 1, 100] {
      var sound = SoundContinuation(.loop, after: wave(count), channels: 1, rate: 8000)
      #expect(sound.next(1000).dropFirst(160).allSatisfy { $0 == 0 })
    }
  }
}
