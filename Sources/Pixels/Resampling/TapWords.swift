/// Eight pixels' pairs of neighbouring samples, `first | second << 8`, each read by one load from `row + offsets[i]`.
///
/// A load ends with the second sample's last byte (or, in packed 4:2:2, its group's); `Reducer` keeps that inside the row.
enum TapWords {
  typealias Offsets = UnsafePointer<Int32>

  /// Bytes side by side.
  @inline(__always)
  static func bytes(_ row: UnsafeRawPointer, _ offsets: Offsets) -> Words {
    packed(
      UInt64(load(UInt16.self, row, offsets, 0)), UInt64(load(UInt16.self, row, offsets, 1)),
      UInt64(load(UInt16.self, row, offsets, 2)), UInt64(load(UInt16.self, row, offsets, 3)),
      UInt64(load(UInt16.self, row, offsets, 4)), UInt64(load(UInt16.self, row, offsets, 5)),
      UInt64(load(UInt16.self, row, offsets, 6)), UInt64(load(UInt16.self, row, offsets, 7)))
  }

  /// Two channels' bytes in turn: U V U V.
  @inline(__always)
  static func bytePairs(_ row: UnsafeRawPointer, _ offsets: Offsets) -> (Words, Words) {
    // Both channels' first samples, both channels' second ones, then the four bytes crosswise.
    let first = bytes(row, offsets)
    let second = bytes(row + 2, offsets)
    return ((first & 0xFF) | (second &<< 8), (first &>> 8) | (second & 0xFF00))
  }

  /// The bytes at bit `first` and 16 bits higher of 32 bits.
  @inline(__always)
  static func alternate(_ row: UnsafeRawPointer, _ offsets: Offsets, at first: UInt32) -> Words {
    let words = words32(row, offsets)
    return level(words, first) | (level(words, first &+ 16) &<< 8)
  }

  /// Groups of four bytes side by side: two of each one's bytes, at bits `first` and 16 bits higher.
  @inline(__always)
  static func groups(_ row: UnsafeRawPointer, _ offsets: Offsets, at first: UInt32) -> (Words, Words) {
    let (near, far) = (words32(row, offsets), words32(row + 4, offsets))
    return (pair(near, far, first), pair(near, far, first &+ 16))
  }

  /// Three bytes of each of two pixels of four, from bit `first` of each.
  @inline(__always)
  static func colors32(_ row: UnsafeRawPointer, _ offsets: Offsets, at first: UInt32) -> (Words, Words, Words) {
    let (near, far) = (words32(row, offsets), words32(row + 4, offsets))
    return (pair(near, far, first), pair(near, far, first &+ 8), pair(near, far, first &+ 16))
  }

  /// The three bytes of each of two pixels of three.
  @inline(__always)
  static func colors24(_ row: UnsafeRawPointer, _ offsets: Offsets) -> (Words, Words, Words) {
    // Overlapping: the two bytes behind both pixels may lie beyond the end of memory.
    let (near, far) = (words32(row, offsets), words32(row + 2, offsets) &>> 8)
    return (pair(near, far, 0), pair(near, far, 8), pair(near, far, 16))
  }

  // MARK: - Words

  @inline(__always)
  private static func pair(_ near: SIMD8<UInt32>, _ far: SIMD8<UInt32>, _ bit: UInt32) -> Words {
    level(near, bit) | (level(far, bit) &<< 8)
  }

  @inline(__always)
  private static func level(_ words: SIMD8<UInt32>, _ bit: UInt32) -> Words {
    narrowed((words &>> bit) & 0xFF)
  }

  @inline(__always)
  private static func words32(_ row: UnsafeRawPointer, _ offsets: Offsets) -> SIMD8<UInt32> {
    @inline(__always)
    func two(_ index: Int) -> UInt64 {
      UInt64(load(UInt32.self, row, offsets, index)) | (UInt64(load(UInt32.self, row, offsets, index &+ 1)) &<< 32)
    }
    return unsafeBitCast(SIMD4<UInt64>(two(0), two(2), two(4), two(6)), to: SIMD8<UInt32>.self)
  }

  @inline(__always)
  private static func load<Word: FixedWidthInteger & BitwiseCopyable>(
    _ word: Word.Type, _ row: UnsafeRawPointer, _ offsets: Offsets, _ index: Int
  ) -> Word {
    Word(littleEndian: (row + Int(truncatingIfNeeded: offsets[index])).loadUnaligned(as: Word.self))
  }

  /// Lanes from low to high, as they lie in a little-endian machine's registers (Swift runs on no other).
  @inline(__always)
  private static func packed(
    _ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ e: UInt64, _ f: UInt64, _ g: UInt64, _ h: UInt64
  ) -> Words {
    let low = a | (b &<< 16) | (c &<< 32) | (d &<< 48)
    let high = e | (f &<< 16) | (g &<< 32) | (h &<< 48)
    return unsafeBitCast(SIMD2<UInt64>(low, high), to: Words.self)
  }
}
