import Pixels

/// The generated pictures of Tests/tools/make_pixels_fixtures.py.
enum Patterns {
  static func sample(_ x: Int, _ y: Int, plane: Int, seed: Int, low: Int = 0, high: Int = 255) -> UInt8 {
    let block = ((x >> 4) ^ (y >> 4)) * (37 + 6 * plane) + (x * 3 + y * 5) / 8 + seed * 41 + plane * 85
    let noise = (((x * 73 + y * 151 + plane * 29 + seed * 17) * 40503) >> 9) % 9
    return UInt8(low + (block + noise) % (high - low + 1))
  }

  static func positions(width: Int, height: Int) -> [(x: Int, y: Int)] {
    (0..<96).map { ($0 * 7919 % width, $0 * 104729 % height) }
  }

  static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

/// What a pixel's samples are, for every format alike.
struct Scene {
  /// Y, Cb, Cr with chroma at half the size, or R, G, B.
  var luma: (_ x: Int, _ y: Int) -> UInt8
  var chroma: (_ x: Int, _ y: Int, _ plane: Int) -> UInt8
  var color: (_ x: Int, _ y: Int) -> (red: UInt8, green: UInt8, blue: UInt8)

  /// Patterns inside the colour cube, where clipping before or after the reduction is the same.
  static func pattern(seed: Int) -> Scene {
    Scene(
      luma: { Patterns.sample($0, $1, plane: 0, seed: seed, low: 70, high: 170) },
      chroma: { Patterns.sample($0, $1, plane: $2, seed: seed, low: 108, high: 148) },
      color: {
        (
          Patterns.sample($0, $1, plane: 2, seed: seed), Patterns.sample($0, $1, plane: 1, seed: seed),
          Patterns.sample($0, $1, plane: 0, seed: seed)
        )
      })
  }

  /// Nearly all levels that limited samples have, and colours outside the cube.
  static func vivid(seed: Int) -> Scene {
    var scene = pattern(seed: seed)
    scene.luma = { Patterns.sample($0, $1, plane: 0, seed: seed, low: 16, high: 235) }
    scene.chroma = { Patterns.sample($0, $1, plane: $2, seed: seed, low: 40, high: 216) }
    return scene
  }

  /// The same Y, Cb, Cr, with its colours converted pixel by pixel (BT.601 or BT.709, exact, rounded).
  func converted(matrix: ColorMatrix, range: ColorRange) -> Scene {
    var scene = self
    let (luma, chroma) = (luma, chroma)
    scene.color = { x, y in
      let (kr, kb) = matrix == .bt601 ? (0.299, 0.114) : (0.2126, 0.0722)
      let (black, gain, chromaGain) = range == .limited ? (16.0, 255.0 / 219, 255.0 / 224) : (0, 1, 1)
      let l = (Double(luma(x, y)) - black) * gain
      let u = (Double(chroma(x / 2, y / 2, 1)) - 128) * chromaGain
      let v = (Double(chroma(x / 2, y / 2, 2)) - 128) * chromaGain
      let red = l + 2 * (1 - kr) * v
      let blue = l + 2 * (1 - kb) * u
      let green = (l - kr * red - kb * blue) / (1 - kr - kb)
      func level(_ value: Double) -> UInt8 { UInt8(min(255, max(0, value.rounded()))) }
      return (level(red), level(green), level(blue))
    }
    return scene
  }
}
