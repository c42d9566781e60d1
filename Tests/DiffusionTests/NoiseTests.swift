import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

private let sample = NoiseGenerator(seed: 20_240_117, segment: 0, stream: .start).values(count: 1 << 20)

@Suite("Noise")
struct NoiseTests {
  /// Random123's `kat_vectors`, philox4x32 with 10 rounds: zeros, ones, digits of π.
  @Test(
    "Philox gives Random123's known answers: zeros, ones and digits of π",
    arguments: [
      (SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0), SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
      (SIMD4(repeating: UInt32.max), SIMD2(repeating: UInt32.max), SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)),
      (
        SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
        SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
      ),
    ])
  func philoxGivesItsKnownAnswers(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ words: SIMD4<UInt32>) {
    #expect(Philox.words(counter: counter, key: key) == words)
  }

  /// A second implementation computed them: a change is a change of every video that a seed stands for.
  @Test("A seed gives the bits that a second implementation computed")
  func aSeedGivesTheStoredBits() throws {
    struct Stored: Decodable {
      var keys: [[String]]
      var bits: [[UInt32]]
    }
    let stored: Stored = try ConfigurationFile.read(path: Fixture("sampling").folder + "/noise.json")
    #expect(stored.keys.count == 6)
    for (key, bits) in zip(stored.keys, stored.bits) {
      let generator = NoiseGenerator(
        seed: try #require(UInt64(key[0])), segment: try #require(UInt32(key[1])),
        stream: NoiseStream(number: try #require(UInt32(key[2]))))
      let values = generator.values(count: bits.count, from: try #require(UInt64(key[3])))
      #expect(values.map(\.bitPattern) == bits, "\(key)")
    }
  }

  @Test("A value depends on its position, not on what was drawn before")
  func aValueDependsOnItsPositionAlone() {
    let generator = NoiseGenerator(seed: 1, segment: 2, stream: .step(3))
    let all = generator.values(count: 40)
    for start in 0..<12 {
      for count in 0..<14 {
        #expect(generator.values(count: count, from: UInt64(start)) == Array(all[start..<start + count]))
      }
    }
  }

  @Test("Drawing past the last position goes on at the first")
  func theLastPositionIsFollowedByTheFirst() {
    let generator = NoiseGenerator(seed: 1, segment: 0, stream: .start)
    #expect(generator.values(count: 8, from: .max - 3).count == 8)
  }

  @Test("Mean, variance, skewness and kurtosis are those of the normal distribution")
  func momentsAreNormal() {
    let count = Double(sample.count)
    func moment(_ power: Int) -> Double {
      sample.reduce(0.0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * Double(value) } } / count
    }
    // Four standard errors; the variances of z, z², z³, z⁴ are 1, 2, 15, 96.
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1, 2), (3, 0, 15), (4, 3, 96)] {
      #expect(abs(moment(power) - expected) < 4 * (variance / count).squareRoot(), "\(power)")
    }
  }

  @Test("The distribution is normal by the Kolmogorov–Smirnov distance")
  func theDistributionIsNormal() {
    var worst = 0.0
    let count = Double(sample.count)
    for (index, value) in sample.sorted().enumerated() {
      let probability = erfc(-Double(value) / 2.0.squareRoot()) / 2
      worst = max(worst, abs(probability - Double(index) / count), abs(probability - Double(index + 1) / count))
    }
    // Kolmogorov–Smirnov: 1.95/√n is passed by one sample of true normals in a thousand.
    #expect(worst < 1.95 / count.squareRoot())
    #expect(sample.allSatisfy { abs($0) < 6.8 })
  }

  @Test("Neighbours, seeds, segments and streams are independent")
  func neighboursAndStreamsAreIndependent() {
    let count = 1 << 18
    let base = Array(sample.prefix(count))
    func correlation(_ other: [Float]) -> Double {
      zip(base, other).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / Double(count)
    }
    func squares(_ other: [Float]) -> Double {
      zip(base, other).reduce(0.0) { $0 + (Double($1.0) * Double($1.0) - 1) * (Double($1.1) * Double($1.1) - 1) / 2 } / Double(count)
    }
    let seed: UInt64 = 20_240_117
    let others: [[Float]] = [
      Array(sample[1..<count + 1]), Array(sample[2..<count + 2]), Array(sample[4..<count + 4]),
      NoiseGenerator(seed: seed + 1, segment: 0, stream: .start).values(count: count),
      NoiseGenerator(seed: seed + (1 << 32), segment: 0, stream: .start).values(count: count),
      NoiseGenerator(seed: seed, segment: 1, stream: .start).values(count: count),
      NoiseGenerator(seed: seed, segment: 0, stream: .condition).values(count: count),
      NoiseGenerator(seed: seed, segment: 0, stream: .step(0)).values(count: count),
    ]
    // Four and a half standard errors of a mean of products of independent values with variance 1, and with variance 1 too.
    let bound = 4.5 / Double(count).squareRoot()
    for (index, other) in others.enumerated() {
      #expect(abs(correlation(other)) < bound && abs(squares(other)) < bound, "\(index)")
    }
  }

  @Test("No two purposes share a stream")
  func purposesDoNotShareValues() {
    let streams = [NoiseStream.start, .condition, .step(0), .step(1), .step(49)].map(\.number)
    #expect(Set(streams).count == streams.count)
  }
}
