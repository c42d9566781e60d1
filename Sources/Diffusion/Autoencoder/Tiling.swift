import Tensors

/// Tiles that large frames are cut into; each overlaps its neighbours and is blended into them.
///
/// Source: `enable_tiling` of diffusers' AutoencoderKLCogVideoX.
public struct Tiling: Hashable, Sendable {
  /// Pixels of a tile's height. Frames that are no higher and no wider than a tile are not cut.
  public var height: Int
  /// Pixels of a tile's width.
  public var width: Int
  /// Which part of a tile its neighbour has too, 0…1.
  public var overlap: (height: Double, width: Double) {
    get { (overlapHeight, overlapWidth) }
    set { (overlapHeight, overlapWidth) = newValue }
  }
  private var overlapHeight: Double
  private var overlapWidth: Double

  /// Nothing is checked here: coding throws ``DiffusionError/setting(_:)`` where the step from tile to tile is no whole number of latents.
  /// The overlap is diffusers' by default.
  public init(height: Int, width: Int, overlap: (height: Double, width: Double) = (1 / 6, 1 / 5)) {
    self.height = height
    self.width = width
    (overlapHeight, overlapWidth) = overlap
  }

  /// Half of the size that a model was made for.
  public init(_ configuration: AutoencoderConfiguration) {
    self.init(height: configuration.sampleHeight / 2, width: configuration.sampleWidth / 2)
  }
}

/// How frames, or latents, are cut, and what comes of the parts is put together.
struct TileGrid {
  enum Content { case frames, latents }

  /// Along one axis.
  private struct Axis {
    /// Of what is cut: a tile, and from one tile to the next.
    var tile: Int
    var step: Int
    /// Of what comes out: from one tile to the next, and what is blended.
    var kept: Int
    var blended: Int

    init(_ tile: Int, overlap: Double, _ side: Int, of content: Content, _ name: String) throws {
      guard tile > 0, tile < 1 << 20, overlap >= 0, overlap < 1 else {
        throw DiffusionError.setting("tiles of \(name) \(tile) with an overlap of \(overlap), not above 0 with one from 0 up to 1")
      }
      let small = tile / side
      // As diffusers rounds them: towards zero.
      let (from, to) = content == .frames ? (tile, small) : (small, tile)
      self.tile = from
      step = Int(Double(from) * (1 - overlap))
      blended = Int(Double(to) * overlap)
      kept = to - blended
      let isEven = content == .frames ? step == kept * side : step * side == kept
      guard small > 0, step > 0, kept > 0, isEven else {
        throw DiffusionError.setting(
          "tiles of \(name) \(tile) with an overlap of \(overlap) does not cut frames between latents of \(side) pixels")
      }
    }

    func starts(_ size: Int) -> [Range<Int>] { stride(from: 0, to: size, by: step).map { $0..<min($0 + tile, size) } }
  }

  private let rows: Axis
  private let columns: Axis

  /// - Throws: ``DiffusionError/setting(_:)`` for tiles that would not come together again.
  init(_ tiling: Tiling, _ side: Int, of content: Content) throws {
    rows = try Axis(tiling.height, overlap: tiling.overlap.height, side, of: content, "height")
    columns = try Axis(tiling.width, overlap: tiling.overlap.width, side, of: content, "width")
  }

  /// Has each tile worked on, and puts the results together.
  ///
  /// - Parameter work: a tile in, what comes of it out, in float32.
  func assemble(_ source: Frames, _ work: (Frames) throws -> Frames) throws -> Frames {
    let (down, across) = (rows.starts(source.height), columns.starts(source.width))
    var lines: [[Frames]] = []
    var above: [Frames] = []
    for rowRange in down {
      var line: [Frames] = []
      for (column, columnRange) in across.enumerated() {
        let tile = try work(source.copy(0..<source.count, rows: rowRange, columns: columnRange))
        // Neighbours that are blended themselves already.
        if let upper = above.isEmpty ? nil : above[column] { Self.blend(upper, into: tile, most: rows.blended, isDown: true) }
        if let left = line.last { Self.blend(left, into: tile, most: columns.blended, isDown: false) }
        line.append(tile)
      }
      // What is kept of the line above is cut when its lower edge is blended into this one.
      lines.append(line.map { $0.copy(0..<$0.count, rows: 0..<min(rows.kept, $0.height), columns: 0..<min(columns.kept, $0.width)) })
      above = line
    }
    return Self.joined(lines)
  }

  /// The last rows (or columns) of one tile fade into the first of the next.
  private static func blend(_ before: Frames, into tile: Frames, most: Int, isDown: Bool) {
    let extent = isDown ? min(before.height, tile.height, most) : min(before.width, tile.width, most)
    let (rows, columns) = isDown ? (extent, tile.width) : (tile.height, extent)
    for frame in 0..<tile.count {
      for y in 0..<rows {
        for x in 0..<columns {
          let weight = Float(isDown ? y : x) / Float(extent)
          let (row, column) = isDown ? (before.height - extent + y, x) : (y, before.width - extent + x)
          let from = before.pixel(frame, row, column)
          let to = tile.pixel(frame, y, x)
          for channel in 0..<tile.channels { to[channel] = from[channel] * (1 - weight) + to[channel] * weight }
        }
      }
    }
  }

  private static func joined(_ lines: [[Frames]]) -> Frames {
    guard let first = lines.first?.first else { return Frames(count: 0, height: 0, width: 0, channels: 0) }
    let (height, width) = (lines.reduce(0) { $0 + $1[0].height }, lines[0].reduce(0) { $0 + $1.width })
    let result = Frames(count: first.count, height: height, width: width, channels: first.channels)
    var top = 0
    for line in lines {
      var left = 0
      for tile in line {
        for frame in 0..<tile.count {
          for y in 0..<tile.height {
            UnsafeMutableRawPointer(result.pixel(frame, top + y, left)).copyMemory(
              from: tile.pixel(frame, y, 0), byteCount: tile.width * tile.matrix.rowSize)
          }
        }
        left += tile.width
      }
      top += line[0].height
    }
    return result
  }
}

extension Frames {
  /// A pixel's channels, in float32.
  fileprivate func pixel(_ frame: Int, _ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    matrix.row((frame * height + row) * width + column).assumingMemoryBound(to: Float.self)
  }
}
