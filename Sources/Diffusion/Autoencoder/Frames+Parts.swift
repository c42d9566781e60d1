import Tensors

extension Frames {
  /// One after the other; all of one size, in float32.
  public static func concatenated(_ parts: [Frames]) -> Frames {
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

  /// The sum of these and as many frames of another video of the same size, from one on; float32.
  ///
  /// - Precondition: it has them.
  func plus(_ other: Frames, from first: Int) -> Frames {
    precondition(
      first >= 0 && other.count - first >= count && (other.height, other.width, other.channels) == (height, width, channels),
      "frames of another size")
    let result = Frames(count: count, height: height, width: width, channels: channels)
    let own = matrix.base.assumingMemoryBound(to: Float.self)
    let others = other.matrix.row(first * height * width).assumingMemoryBound(to: Float.self)
    let sums = result.matrix.base.assumingMemoryBound(to: Float.self)
    for index in 0..<count * height * width * channels { sums[index] = own[index] + others[index] }
    return result
  }

  /// `f` of latents, `[frames][channels][height][width]` there and with channels innermost here.
  init(_ latents: Latents, _ f: (Float) -> Float) {
    self.init(count: latents.frames, height: latents.height, width: latents.width, channels: latents.channels)
    let area = latents.height * latents.width
    for frame in 0..<latents.frames {
      for place in 0..<area {
        let target = matrix.row(frame * area + place).assumingMemoryBound(to: Float.self)
        for channel in 0..<latents.channels { target[channel] = f(latents.values[(frame * latents.channels + channel) * area + place]) }
      }
    }
  }

  /// The same back, float32.
  func latents(_ f: (Float) -> Float) -> Latents {
    let area = height * width
    var values = [Float](repeating: 0, count: count * channels * area)
    for frame in 0..<count {
      for place in 0..<area {
        let source = matrix.row(frame * area + place).assumingMemoryBound(to: Float.self)
        for channel in 0..<channels { values[(frame * channels + channel) * area + place] = f(source[channel]) }
      }
    }
    return Latents(values, frames: count, channels: channels, height: height, width: width)
  }
}
