/// Adds what a fine picture has beyond a coarse likeness of it to another picture, less of it where a mask is brighter:
/// output = picture + (255 − mask) / 255 · (output − likeness), rounded, in bytes.
///
/// - Parameter output: the fine picture; gets the result.
public func addDetail(
  to picture: UnsafePointer<UInt8>, beyond likeness: UnsafePointer<UInt8>, mask: UnsafePointer<UInt8>, output: UnsafeMutablePointer<UInt8>,
  count: Int
) {
  for x in 0..<max(0, count) {
    // 255 as 256, so that a shift divides.
    let share = 256 &- Int32(mask[x]) &- Int32(mask[x] >> 7)
    let value = Int32(picture[x]) &+ ((Int32(output[x]) &- Int32(likeness[x])) &* share &+ 128) &>> 8
    output[x] = UInt8(truncatingIfNeeded: min(max(value, 0), 255))
  }
}
