import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

func exp(_ x: Float) -> Float { expf(x) }

extension Frames {
  /// One after the other; all of one size, in float32.
  package static func concatenated(_ parts: [Frames]) -> Frames {
    guard let first = parts.first, parts.count > 1 else { return parts.first ?? Frames(count: 0, height: 0, width: 0, channels: 0) }
    let result = Frames(count: parts.reduce(0) { $0 + $1.count }, height: first.height, width: first.width, channels: first.channels)
    var row = 0
    for part in parts {
      precondition(part.height == first.height && part.width == first.width && part.channels == first.channels, "frames of several sizes")
      result.matrix.row(row).copyMemory(from: part.matrix.base, byteCount: part.matrix.rows * part.matrix.rowSize)
      row += part.matrix.rows
    }
    return result
  }

  /// `f` of some of the channels, float32.
  func channels(_ range: Range<Int>, _ f: (Float) -> Float) -> Frames {
    let result = Frames(count: count, height: height, width: width, channels: range.count)
    for row in 0..<matrix.rows {
      let source = matrix.row(row).assumingMemoryBound(to: Float.self)
      let target = result.matrix.row(row).assumingMemoryBound(to: Float.self)
      for (index, channel) in range.enumerated() { target[index] = f(source[channel]) }
    }
    return result
  }

  func multiplied(by factor: Float) -> Frames { channels(0..<channels) { $0 * factor } }
}
