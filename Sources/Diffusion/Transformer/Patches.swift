import Tensors

/// Cuts latents in patches, a token each, and puts tokens together to latents.
struct Patches {
  let channels: Int
  /// Rows and columns of a patch.
  let size: Int
  /// Latent frames of a patch; nil for models whose patches have no time.
  let frames: Int?

  /// `[F][C][H][W]` → `[F/pt · H/p · W/p][C·pt·p·p]`, the order of a convolution's weights.
  func tokens(_ latents: Latents, type: DataType, on compute: Compute) throws -> Matrix {
    let depth = frames ?? 1
    let (rows, columns) = (latents.height / size, latents.width / size)
    let perPatch = channels * depth * size * size
    let result = Matrix(rows: latents.frames / depth * rows * columns, columns: perPatch, type: type)
    try latents.values.withUnsafeBufferPointer { values in
      try compute.forEachRow(result.rows) { token, _ in
        let (frame, row, column) = (token / (rows * columns), token / columns % rows, token % columns)
        var patch = [Float](repeating: 0, count: perPatch)
        var index = 0
        for channel in 0..<channels {
          for t in 0..<depth {
            for y in 0..<size {
              let first = (((frame * depth + t) * channels + channel) * latents.height + row * size + y) * latents.width + column * size
              for x in 0..<size {
                patch[index] = values[first + x]
                index += 1
              }
            }
          }
        }
        result.write(patch, row: token)
      }
    }
    return result
  }

  /// `[F/pt · H/p · W/p][C·pt·p·p]` of float32 → `[F][C][H][W]`.
  func latents(_ tokens: Matrix, height: Int, width: Int) -> Latents {
    let depth = frames ?? 1
    let (rows, columns) = (height / size, width / size)
    let count = tokens.rows / max(1, rows * columns) * depth
    var values = [Float](repeating: 0, count: count * channels * height * width)
    for token in 0..<tokens.rows {
      let (frame, row, column) = (token / (rows * columns), token / columns % rows, token % columns)
      let patch = tokens.row(token).assumingMemoryBound(to: Float.self)
      var index = 0
      for channel in 0..<channels {
        for t in 0..<depth {
          for y in 0..<size {
            let first = (((frame * depth + t) * channels + channel) * height + row * size + y) * width + column * size
            for x in 0..<size {
              values[first + x] = patch[index]
              index += 1
            }
          }
        }
      }
    }
    return Latents(values, frames: count, channels: channels, height: height, width: width)
  }
}

extension Matrix {
  /// Writes a row of as many values as there are columns.
  func write(_ values: [Float], row index: Int) {
    values.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress, values.count == columns else { return }
      if type == .bfloat16 {
        mapRow(columns, source, Float32.self, to: row(index), BFloat16.self) { $1 }
      } else {
        row(index).copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }
}
