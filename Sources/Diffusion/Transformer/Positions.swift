import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a model that was trained on one scene counts the frames of a longer sequence.
public enum PositionRule: Hashable, Sendable {
  /// One frame after the other, beyond the scene's. Mask²DiT on rotary positions (5B), and plain CogVideoX.
  case continuous
  /// One scene's positions, stretched over all: frame i of n · T is at (i + ½) / n − ½ among a scene's T, between its
  /// neighbours' embeddings, and at the ends at the end's. Mask²DiT on sincos positions (2B), as PyTorch's trilinear
  /// interpolation does it.
  case stretched(sceneFrames: Int)
}

/// Positions of video tokens.
struct Positions {
  let configuration: TransformerConfiguration
  /// Rows and columns of patches.
  let rows: Int
  let columns: Int

  // MARK: Sincos, added to tokens (2B)

  /// `[frames][D/4]` and `[rows · columns][3D/4]`: what is added to a token is its frame's, then its place's.
  ///
  /// Source: diffusers, `get_3d_sincos_pos_embed`.
  func sincos(frames: Range<Int>, of count: Int, _ rule: PositionRule) -> (time: [Float], space: [Float]) {
    let width = configuration.width
    let (timeWidth, spaceWidth) = (width / 4, 3 * width / 4)
    var time: [Float] = []
    for frame in frames {
      switch rule {
      case .continuous: time += Self.wave(Double(Float(frame) / Float(configuration.timeScale)), timeWidth)
      case .stretched(let sceneFrames):
        let scale = Float(sceneFrames) / Float(count)
        let place = max(0, scale * (Float(frame) + 0.5) - 0.5)
        let before = min(Int(place), sceneFrames - 1)
        let after = min(before + 1, sceneFrames - 1)
        let part = place - Float(before)
        func at(_ index: Int) -> [Float] { Self.wave(Double(Float(index) / Float(configuration.timeScale)), timeWidth) }
        time += zip(at(before), at(after)).map { $0 * (1 - part) + $1 * part }
      }
    }
    var space: [Float] = []
    let scale = Float(configuration.spaceScale)
    for row in 0..<rows {
      for column in 0..<columns {
        // The column comes first.
        space += Self.wave(Double(Float(column) / scale), spaceWidth / 2) + Self.wave(Double(Float(row) / scale), spaceWidth / 2)
      }
    }
    return (time, space)
  }

  /// [sin(p·ω₀), …, cos(p·ω₀), …] with ωᵢ = 10000^(−2i/width).
  private static func wave(_ position: Double, _ width: Int) -> [Float] {
    let angles = (0..<width / 2).map { position * pow(10000, -Double($0) / (Double(width) / 2)) }
    return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
  }

  // MARK: Rotary, turning queries and keys (5B, 1.5)

  /// Rotations of the tokens of some frames.
  ///
  /// Source: diffusers, `get_3d_rotary_pos_embed`, with the crop of `get_resize_crop_region_for_grid` (1.0) or a slice (1.5).
  func rotary(frames: Range<Int>, of count: Int, _ rule: PositionRule) -> RotaryTable {
    let size = configuration.headSize
    let (timeWidth, spaceWidth) = (size / 4, size / 8 * 3)
    let (rowPlaces, columnPlaces) = places()
    var times: [Float] = []
    for frame in frames {
      switch rule {
      case .continuous: times.append(Float(frame))
      case .stretched(let sceneFrames):
        times.append(min(max(0, Float(sceneFrames) / Float(count) * (Float(frame) + 0.5) - 0.5), Float(sceneFrames - 1)))
      }
    }
    let timeAngles = times.map { Self.angles($0, timeWidth) }
    let rowAngles = rowPlaces.map { Self.angles($0, spaceWidth) }
    let columnAngles = columnPlaces.map { Self.angles($0, spaceWidth) }
    var cosines: [Float] = []
    var sines: [Float] = []
    cosines.reserveCapacity(times.count * rows * columns * size / 2)
    sines.reserveCapacity(times.count * rows * columns * size / 2)
    for time in timeAngles {
      for row in rowAngles {
        for column in columnAngles {
          for axis in [time, row, column] {
            cosines += axis.map(\.cosine)
            sines += axis.map(\.sine)
          }
        }
      }
    }
    return RotaryTable(size: size, cosines: cosines, sines: sines)
  }

  /// Where rows and columns of patches are in the picture that the model was trained on.
  private func places() -> (rows: [Float], columns: [Float]) {
    if configuration.patchFrames != nil { return ((0..<rows).map { Float($0) }, (0..<columns).map { Float($0) }) }
    let (baseRows, baseColumns) = (configuration.sampleHeight / configuration.patch, configuration.sampleWidth / configuration.patch)
    // The largest picture of this shape within the trained one, in its middle; Python rounds halves to even.
    var (height, width) = (baseRows, baseColumns)
    if Double(rows) / Double(columns) > Double(baseRows) / Double(baseColumns) {
      width = Int((Double(baseRows) / Double(rows) * Double(columns)).rounded(.toNearestOrEven))
    } else {
      height = Int((Double(baseColumns) / Double(columns) * Double(rows)).rounded(.toNearestOrEven))
    }
    let top = Int((Double(baseRows - height) / 2).rounded(.toNearestOrEven))
    let left = Int((Double(baseColumns - width) / 2).rounded(.toNearestOrEven))
    return (Self.line(from: top, to: top + height, rows), Self.line(from: left, to: left + width, columns))
  }

  /// `count` places from `start` to `stop · (count − 1) / count`.
  private static func line(from start: Int, to stop: Int, _ count: Int) -> [Float] {
    guard count > 1 else { return [Float(start)] }
    let end = Double(stop) * Double(count - 1) / Double(count)
    return (0..<count).map { Float(Double(start) + (end - Double(start)) * Double($0) / Double(count - 1)) }
  }

  /// p · 10000^(−2i/width)
  private static func angles(_ position: Float, _ width: Int) -> [(cosine: Float, sine: Float)] {
    (0..<width / 2).map { index in
      let angle = Double(position) * pow(10000, -Double(2 * index) / Double(width))
      return (Float(cos(angle)), Float(sin(angle)))
    }
  }
}

/// A timestep as a vector: cosines, then sines, of t · 10000^(−i / (width/2)).
///
/// Source: diffusers, `Timesteps` with `flip_sin_to_cos` and no shift.
func timestepEmbedding(_ time: Double, width: Int) -> [Float] {
  // In float32 as there, since a timestep of 999 turns a rounding of the frequency into one of 10⁻⁴ of the angle.
  let angles = (0..<width / 2).map { index in
    let exponent = Float(-log(10000.0)) * Float(index) / Float(width / 2)
    return Double(Float(time) * Float(exp(Double(exponent))))
  }
  return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
}
