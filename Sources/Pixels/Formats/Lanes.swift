/// Eight pixels at a time: one SSE2 or NEON register of 16-bit samples.
typealias Words = SIMD8<UInt16>
typealias SignedWords = SIMD8<Int16>
typealias Floats = SIMD8<Float>

/// Pixels in one vector; rows are padded to a multiple of it.
let laneCount = 8

@inline(__always)
func load(_ row: UnsafePointer<UInt16>, _ x: Int) -> Words {
  UnsafeRawPointer(row + x).loadUnaligned(as: Words.self)
}

@inline(__always)
func load(_ row: UnsafePointer<Int16>, _ x: Int) -> SignedWords {
  UnsafeRawPointer(row + x).loadUnaligned(as: SignedWords.self)
}

@inline(__always)
func store(_ lanes: Words, _ row: UnsafeMutablePointer<UInt16>, _ x: Int) {
  UnsafeMutableRawPointer(row + x).storeBytes(of: lanes, as: Words.self)
}

@inline(__always)
func store(_ lanes: SignedWords, _ row: UnsafeMutablePointer<Int16>, _ x: Int) {
  UnsafeMutableRawPointer(row + x).storeBytes(of: lanes, as: SignedWords.self)
}

// The library's own conversions and `pointwiseMax` are generic functions that the compiler calls, lane after lane, once a
// loop is long; written out they become one or two instructions.

@inline(__always)
func widened(_ a: Words) -> SIMD8<UInt32> {
  SIMD8<UInt32>(
    UInt32(a[0]), UInt32(a[1]), UInt32(a[2]), UInt32(a[3]),
    UInt32(a[4]), UInt32(a[5]), UInt32(a[6]), UInt32(a[7]))
}

@inline(__always)
func widened(_ a: SignedWords) -> SIMD8<Int32> {
  SIMD8<Int32>(
    Int32(a[0]), Int32(a[1]), Int32(a[2]), Int32(a[3]),
    Int32(a[4]), Int32(a[5]), Int32(a[6]), Int32(a[7]))
}

@inline(__always)
func narrowed(_ a: SIMD8<UInt32>) -> Words {
  Words(
    UInt16(truncatingIfNeeded: a[0]), UInt16(truncatingIfNeeded: a[1]),
    UInt16(truncatingIfNeeded: a[2]), UInt16(truncatingIfNeeded: a[3]),
    UInt16(truncatingIfNeeded: a[4]), UInt16(truncatingIfNeeded: a[5]),
    UInt16(truncatingIfNeeded: a[6]), UInt16(truncatingIfNeeded: a[7]))
}

@inline(__always)
func narrowed(_ a: SIMD8<Int32>) -> SignedWords {
  SignedWords(
    Int16(truncatingIfNeeded: a[0]), Int16(truncatingIfNeeded: a[1]),
    Int16(truncatingIfNeeded: a[2]), Int16(truncatingIfNeeded: a[3]),
    Int16(truncatingIfNeeded: a[4]), Int16(truncatingIfNeeded: a[5]),
    Int16(truncatingIfNeeded: a[6]), Int16(truncatingIfNeeded: a[7]))
}

@inline(__always)
func floats(_ a: SignedWords) -> Floats {
  Floats(
    Float(a[0]), Float(a[1]), Float(a[2]), Float(a[3]),
    Float(a[4]), Float(a[5]), Float(a[6]), Float(a[7]))
}

@inline(__always)
func floats(_ a: Words) -> Floats {
  Floats(
    Float(a[0]), Float(a[1]), Float(a[2]), Float(a[3]),
    Float(a[4]), Float(a[5]), Float(a[6]), Float(a[7]))
}

@inline(__always)
func larger(_ a: SignedWords, _ b: SignedWords) -> SignedWords { a.replacing(with: b, where: a .< b) }

@inline(__always)
func smaller(_ a: SignedWords, _ b: SignedWords) -> SignedWords { a.replacing(with: b, where: b .< a) }

/// |a − b|.
@inline(__always)
func distance(_ a: SignedWords, _ b: SignedWords) -> SignedWords { larger(a, b) &- smaller(a, b) }

/// |a − b| of bytes.
@inline(__always)
func distance(_ a: SIMD16<UInt8>, _ b: SIMD16<UInt8>) -> SIMD16<UInt8> {
  a.replacing(with: b, where: a .< b) &- a.replacing(with: b, where: b .< a)
}

@inline(__always)
func signed(_ a: Words) -> SignedWords { unsafeBitCast(a, to: SignedWords.self) }

@inline(__always)
func unsigned(_ a: SignedWords) -> Words { unsafeBitCast(a, to: Words.self) }

/// ⌊a·b / 65536⌋, which compilers know as one instruction.
@inline(__always)
func multiplyHigh(_ a: Words, _ b: Words) -> Words { narrowed((widened(a) &* widened(b)) &>> 16) }

/// ⌊a·b / 65536⌋ of signed numbers.
@inline(__always)
func multiplyHigh(_ a: SignedWords, _ b: SignedWords) -> SignedWords { narrowed((widened(a) &* widened(b)) &>> 16) }

@inline(__always)
func load(_ row: UnsafePointer<Float>, _ x: Int) -> Floats {
  UnsafeRawPointer(row + x).loadUnaligned(as: Floats.self)
}

@inline(__always)
func store(_ lanes: Floats, _ row: UnsafeMutablePointer<Float>, _ x: Int) {
  UnsafeMutableRawPointer(row + x).storeBytes(of: lanes, as: Floats.self)
}
