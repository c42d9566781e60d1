/// Mean absolute difference of two pictures' bytes, 0-255: OpenCV's `mean(absdiff(a, b))` of interleaved pictures.
///
/// - Parameters:
///   - rows: of both; `stride` bytes apart.
///   - width: meaningful bytes of a row.
/// - Returns: 0 for empty pictures.
/// - Cost: one pass over both.
public func meanDifference(
  _ a: UnsafeRawPointer, stride aStride: Int, _ b: UnsafeRawPointer, stride bStride: Int, width: Int, rows: Int
) -> Double {
  guard width > 0, rows > 0 else { return 0 }
  var total: UInt64 = 0
  for row in 0..<rows {
    let (x, y) = (a + row * aStride, b + row * bStride)
    var at = 0
    // 65,536 differences of at most 255 fit in 32 bits.
    while at < width {
      let end = min(width, at + 65_536)
      var sum: UInt32 = 0
      for index in at..<end {
        let (p, q) = (x.load(fromByteOffset: index, as: UInt8.self), y.load(fromByteOffset: index, as: UInt8.self))
        sum &+= UInt32(p > q ? p &- q : q &- p)
      }
      total &+= UInt64(sum)
      at = end
    }
  }
  return Double(total) / Double(width * rows)
}
