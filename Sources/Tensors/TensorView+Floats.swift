extension TensorView {
  /// All elements as float32, in order; nil if one is infinite or not a number, or if the type is an integer's.
  ///
  /// Costs one pass and the array. Widening from 16 bits is exact.
  public func floats() -> [Float]? {
    switch type {
    case .float32: converted(from: UInt32.self) { $0 }
    case .bfloat16: converted(from: UInt16.self) { UInt32($0) << 16 }
    case .float16: converted(from: UInt16.self, widenHalf)
    case .uint8, .int8, .int32, .int64: nil
    }
  }

  /// `bits` gives the float32 of a stored element as its bits.
  @inline(__always)
  private func converted<Stored: BitwiseCopyable>(from: Stored.Type, _ bits: (Stored) -> UInt32) -> [Float]? {
    var isFinite = true
    let floats = [Float](unsafeUninitializedCapacity: count) { floats, initialized in
      var largest: UInt32 = 0
      for index in 0..<count {
        let value = bits(base.loadUnaligned(fromByteOffset: index &* MemoryLayout<Stored>.size, as: Stored.self))
        largest = max(largest, value & 0x7fff_ffff)
        floats.initializeElement(at: index, to: Float(bitPattern: value))
      }
      isFinite = largest < Float.infinity.bitPattern
      initialized = count
    }
    return isFinite ? floats : nil
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
