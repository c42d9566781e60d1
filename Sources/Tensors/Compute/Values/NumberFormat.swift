/// Eight numbers that are worked on at once, in float32 whatever they are stored as.
package typealias Floats = SIMD8<Float>

/// How numbers of a matrix lie in memory.
package protocol NumberFormat {
  static var type: DataType { get }
  /// Bytes a number.
  static var size: Int { get }
  static func load(_ address: UnsafeRawPointer) -> Floats
  static func store(_ values: Floats, _ address: UnsafeMutableRawPointer)
  static func loadOne(_ address: UnsafeRawPointer) -> Float
  static func storeOne(_ value: Float, _ address: UnsafeMutableRawPointer)
}

package enum Float32: NumberFormat {
  package static var type: DataType { .float32 }
  @inline(__always) package static var size: Int { 4 }
  @inline(__always) package static func load(_ address: UnsafeRawPointer) -> Floats { address.loadUnaligned(as: Floats.self) }
  @inline(__always) package static func store(_ values: Floats, _ address: UnsafeMutableRawPointer) {
    address.storeBytes(of: values, as: Floats.self)
  }
  @inline(__always) package static func loadOne(_ address: UnsafeRawPointer) -> Float { address.loadUnaligned(as: Float.self) }
  @inline(__always) package static func storeOne(_ value: Float, _ address: UnsafeMutableRawPointer) {
    address.storeBytes(of: value, as: Float.self)
  }
}

package enum BFloat16: NumberFormat {
  package static var type: DataType { .bfloat16 }
  @inline(__always) package static var size: Int { 2 }

  @inline(__always)
  package static func load(_ address: UnsafeRawPointer) -> Floats {
    unsafeBitCast(SIMD8<UInt32>(truncatingIfNeeded: address.loadUnaligned(as: SIMD8<UInt16>.self)) &<< 16, to: Floats.self)
  }

  @inline(__always)
  package static func store(_ values: Floats, _ address: UnsafeMutableRawPointer) {
    let bits = unsafeBitCast(values, to: SIMD8<UInt32>.self)
    // To the nearest, ties to even.
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16
    address.storeBytes(of: SIMD8<UInt16>(truncatingIfNeeded: rounded), as: SIMD8<UInt16>.self)
  }

  @inline(__always)
  package static func loadOne(_ address: UnsafeRawPointer) -> Float {
    Float(bitPattern: UInt32(address.loadUnaligned(as: UInt16.self)) << 16)
  }

  @inline(__always)
  package static func storeOne(_ value: Float, _ address: UnsafeMutableRawPointer) {
    let bits = value.bitPattern
    address.storeBytes(of: UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16), as: UInt16.self)
  }
}

/// y[i] = f(i, x[i]) of a row: eight at once, and one by one where they do not come out even.
@inline(__always)
package func mapRow<In: NumberFormat, Out: NumberFormat>(
  _ count: Int, _ source: UnsafeRawPointer, _: In.Type, to target: UnsafeMutableRawPointer, _: Out.Type,
  _ eight: (Int, Floats) -> Floats
) {
  var index = 0
  while index &+ 8 <= count {
    Out.store(eight(index, In.load(source + index &* In.size)), target + index &* Out.size)
    index &+= 8
  }
  // The last few in a vector of which the rest is not used.
  if index < count {
    var values = Floats()
    for lane in 0..<count &- index { values[lane] = In.loadOne(source + (index &+ lane) &* In.size) }
    let results = eight(index, values)
    for lane in 0..<count &- index { Out.storeOne(results[lane], target + (index &+ lane) &* Out.size) }
  }
}

/// Eight numbers of an array of `count`, zeros behind its end.
@inline(__always)
package func eight(_ values: UnsafePointer<Float>, _ index: Int, _ count: Int) -> Floats {
  if index &+ 8 <= count { return UnsafeRawPointer(values + index).loadUnaligned(as: Floats.self) }
  var some = Floats()
  for lane in 0..<max(0, count &- index) { some[lane] = values[index &+ lane] }
  return some
}
