#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// T5's biases for relative positions: what a head adds to a score for the distance of its key from its query.
///
/// Small distances have a bucket each, larger ones share buckets that grow with the logarithm of the distance.
/// Source: Raffel et al., https://arxiv.org/abs/1910.10683, section 2.1; transformers' `T5Attention`.
package struct T5EncoderPositions {
  /// `[heads][queries][keys]`
  let values: [Float]
  private let headStride: Int

  /// - Parameters:
  ///   - table: `[buckets][heads]`
  ///   - queries, keys: how many there are, numbered from 0.
  init(table: [Float], _ configuration: T5EncoderConfiguration, queries: Int, keys: Int) {
    let heads = configuration.heads
    precondition(table.count == configuration.buckets * heads, "a bias for each bucket and head")
    // The bucket of key − query = index − (queries − 1).
    let buckets = (0..<queries + keys - 1).map { Self.bucket($0 - (queries - 1), configuration) }
    var values = [Float](repeating: 0, count: heads * queries * keys)
    var index = 0
    for head in 0..<heads {
      for query in 0..<queries {
        for key in 0..<keys {
          values[index] = table[buckets[key - query + queries - 1] * heads + head]
          index += 1
        }
      }
    }
    self.values = values
    headStride = queries * keys
  }

  /// Gives `body` what ``Compute/attend(_:_:heads:groups:bias:)`` asks for: for a head, its `[queries][keys]`.
  func withPointers<Result>(_ body: (@escaping (Int) -> UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    try values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { preconditionFailure("biases of no positions") }
      let stride = headStride
      return try body { base + $0 * stride }
    }
  }

  /// - Parameter offset: the key's position minus the query's.
  package static func bucket(_ offset: Int, _ configuration: T5EncoderConfiguration) -> Int {
    let half = configuration.buckets / 2
    let sign = offset > 0 ? half : 0
    let distance = abs(offset)
    let exact = half / 2
    if distance < exact { return sign + distance }
    // In float32, as the models were trained: at powers of two the last bit decides.
    let position = logf(Float(distance) / Float(exact)) / Float(log(Double(configuration.largestDistance) / Double(exact)))
    return sign + min(half - 1, exact + Int(position * Float(half - exact)))
  }
}
