import Tensors

/// How eight activations lie in memory. Values are not negative.
protocol ActivationType {
  /// Bytes an element.
  static var size: Int { get }
  /// - Parameter step: the value of one unit, for types of whole numbers.
  static func load(_ address: UnsafeRawPointer, step: Float) -> Floats
  /// - Parameter inverse: 1 / step.
  static func store(_ values: Floats, _ address: UnsafeMutableRawPointer, inverse: Float)
}

enum Float32Activation: ActivationType {
  static let size = 4
  @inline(__always)
  static func load(_ address: UnsafeRawPointer, step: Float) -> Floats { address.loadUnaligned(as: Floats.self) }
  @inline(__always)
  static func store(_ values: Floats, _ address: UnsafeMutableRawPointer, inverse: Float) {
    address.storeBytes(of: values, as: Floats.self)
  }
}

enum BFloat16Activation: ActivationType {
  static let size = 2
  @inline(__always)
  static func load(_ address: UnsafeRawPointer, step: Float) -> Floats {
    let bits = SIMD8<UInt32>(truncatingIfNeeded: address.loadUnaligned(as: SIMD8<UInt16>.self)) &<< 16
    return unsafeBitCast(bits, to: Floats.self)
  }
  @inline(__always)
  static func store(_ values: Floats, _ address: UnsafeMutableRawPointer, inverse: Float) {
    let bits = unsafeBitCast(values, to: SIMD8<UInt32>.self)
    // To the nearest, ties to even.
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16
    address.storeBytes(of: SIMD8<UInt16>(truncatingIfNeeded: rounded), as: SIMD8<UInt16>.self)
  }
}

enum UInt8Activation: ActivationType {
  static let size = 1
  /// 2²³: added to a whole number below it, its bits end in that number; added to any, the sum is rounded to a whole one.
  @inline(__always)
  private static var shift: Float { 8_388_608 }
  @inline(__always)
  static func load(_ address: UnsafeRawPointer, step: Float) -> Floats {
    let bits = SIMD8<UInt32>(truncatingIfNeeded: address.loadUnaligned(as: SIMD8<UInt8>.self)) | 0x4B00_0000
    return (unsafeBitCast(bits, to: Floats.self) - shift) * step
  }
  @inline(__always)
  static func store(_ values: Floats, _ address: UnsafeMutableRawPointer, inverse: Float) {
    let scaled = pointwiseMin(values * inverse, Floats(repeating: 255)) + shift
    let bits = unsafeBitCast(scaled, to: SIMD8<UInt32>.self)
    address.storeBytes(of: SIMD8<UInt8>(truncatingIfNeeded: bits), as: SIMD8<UInt8>.self)
  }
}

/// Bytes that run side by side: the row-wise work between convolutions.
enum Rows {
  /// Puts four branches' channels beside each other: 4 × `[pixels][F]` of float32 → `[pixels][4F]`.
  @inline(__always)
  static func join<A: ActivationType>(
    _ branches: (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer), pixels: Int, filters: Int,
    to target: UnsafeMutableRawPointer, inverse: Float, _: A.Type
  ) {
    let row = filters * 4
    for pixel in 0..<pixels {
      var out = target + pixel &* filters &* 4 &* A.size
      func copy(_ branch: UnsafeRawPointer) {
        var source = branch + pixel &* row
        let end = source + row
        while source < end {
          A.store(source.loadUnaligned(as: Floats.self), out, inverse: inverse)
          source += 32
          out += 8 &* A.size
        }
      }
      copy(branches.0)
      copy(branches.1)
      copy(branches.2)
      copy(branches.3)
    }
  }

  /// Adds the shortcut to four branches and averages 2 × 2 pixels, for one row of the result.
  ///
  /// - Parameters:
  ///   - branches: 4 × `[2][width][F]` of float32, the second cell's output after ReLU.
  ///   - shortcut: `[2][width][4F]`, the first cell's.
  ///   - target: `[width / 2][4F]`.
  ///   - sums: `[4F]`, to which the averages are added before they are rounded to the target's type.
  @inline(__always)
  static func pool<A: ActivationType, B: ActivationType>(
    _ branches: (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer), shortcut: UnsafeRawPointer, width: Int,
    filters: Int, step: Float, to target: UnsafeMutableRawPointer, inverse: Float, sums: UnsafeMutablePointer<Float>, _: A.Type, _: B.Type
  ) {
    let row = filters * 4
    let channels = filters * 4
    func one(_ branch: UnsafeRawPointer, _ index: Int) {
      for x in 0..<width / 2 {
        var channel = 0
        while channel < filters {
          let at = branch + (2 &* x) &* row + channel &* 4
          let other = index &* filters &+ channel
          let side = shortcut + ((2 &* x) &* channels &+ other) &* A.size
          func pixel(_ y: Int, _ dx: Int) -> Floats {
            (at + (y &* width &+ dx) &* row).loadUnaligned(as: Floats.self)
              + A.load(side + (y &* width &+ dx) &* channels &* A.size, step: step)
          }
          let mean = (pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1)) * 0.25
          B.store(mean, target + (x &* channels &+ other) &* B.size, inverse: inverse)
          let sum = UnsafeMutableRawPointer(sums + other)
          sum.storeBytes(of: sum.loadUnaligned(as: Floats.self) + mean, as: Floats.self)
          channel &+= 8
        }
      }
    }
    one(branches.0, 0)
    one(branches.1, 1)
    one(branches.2, 2)
    one(branches.3, 3)
  }
}
