extension TensorView {
  /// All elements as float32, in order; nil if one is infinite or not a number, or if the type is an integer's.
  ///
  /// Costs one pass and the array: of the storage a piece at a time is in memory. Widening from 16 bits is exact.
  ///
  /// - Throws: the elements cannot be read any more, of a file that was written to in place.
  public func floats() throws(WeightsError) -> [Float]? {
    switch type {
    case .float32: try converted(from: UInt32.self) { $0 }
    case .bfloat16: try converted(from: UInt16.self) { UInt32($0) << 16 }
    case .float16: try converted(from: UInt16.self, widenHalf)
    case .uint8, .int8, .int32, .int64: nil
    }
  }

  /// Elements that are read together: few enough to stay in a core's own cache until they are converted.
  private static var elementsAtOnce: Int { 1 << 15 }

  /// `bits` gives the float32 of a stored element as its bits.
  @inline(__always)
  private func converted<Stored: BitwiseCopyable>(from: Stored.Type, _ bits: (Stored) -> UInt32) throws(WeightsError) -> [Float]? {
    let size = MemoryLayout<Stored>.size
    var (largest, failure): (UInt32, WeightsError?) = (0, nil)
    let floats = [Float](unsafeUninitializedCapacity: count) { floats, initialized in
      withUnsafeTemporaryAllocation(byteCount: min(count, Self.elementsAtOnce) * size, alignment: 16) { piece in
        while initialized < count {
          let first = initialized
          let some = min(Self.elementsAtOnce, count - first)
          do throws(WeightsError) {
            try read(from: first * size, into: UnsafeMutableRawBufferPointer(rebasing: piece[..<(some * size)]))
          } catch {
            failure = error
            return
          }
          for index in 0..<some {
            let value = bits(piece.load(fromByteOffset: index &* size, as: Stored.self))
            largest = max(largest, value & 0x7fff_ffff)
            floats.initializeElement(at: first &+ index, to: Float(bitPattern: value))
          }
          initialized = first + some
        }
      }
    }
    if let failure { throw failure }
    return largest < Float.infinity.bitPattern ? floats : nil
  }
}

/// IEEE 754 binary16 to the bits of the same number in binary32.
///
/// In integers but for one subtraction of normal numbers, so that neither a processor without F16C nor a host that
/// flushes subnormal numbers to zero changes the result.
@inline(__always)
func widenHalf(_ half: UInt16) -> UInt32 {
  let sign = UInt32(half & 0x8000) << 16
  let magnitude = UInt32(half & 0x7fff) << 13  // exponent and fraction, where binary32 has them
  let rebias: UInt32 = (127 - 15) << 23
  let exponent = magnitude & 0x0f80_0000
  // 2⁻¹⁴·(1 + fraction) − 2⁻¹⁴
  let subnormal = (Float(bitPattern: magnitude &+ rebias &+ (1 << 23)) - Float(bitPattern: (127 - 14) << 23)).bitPattern
  let normal = magnitude &+ rebias &+ (exponent == 0x0f80_0000 ? rebias : 0)  // infinity and NaN keep the top exponent
  return sign | (exponent == 0 ? subnormal : normal)
}
