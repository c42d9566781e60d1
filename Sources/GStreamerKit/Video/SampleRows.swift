import CGStreamer

/// The samples of frames of one format, row by row, for code that treats every sample alike: every format that GstVideo can
/// unpack, interlaced frames as they are woven. Alpha is left out.
///
/// Where samples lie in plain rows they are shown where they are. Frames of other formats are unpacked row by row; of those with
/// a palette the palette is what is changed.
///
/// ```swift
/// let rows = try SampleRows(info)
/// try rows.read(0..<info.height, of: buffer) { component, row, y in … }
/// ```
///
/// Use it from one thread at a time.
public final class SampleRows {
  /// What is read, and what is changed: the same, but for palettes.
  public let read: [VideoComponent]
  /// Where there is a palette its 256 entries, as one row; else as `read`.
  public let changed: [VideoComponent]
  private let info: VideoInfo
  private let unpacked: UnpackedRow?

  /// - Throws: CORE/NEGOTIATION if nobody can read the format.
  public init(_ info: VideoInfo) throws {
    self.info = info
    if let components = info.components {
      (read, changed, unpacked) = (components, components, nil)
    } else {
      let row = try UnpackedRow(info)
      (read, changed, unpacked) = (row.components, info.paletteComponents ?? row.components, row)
    }
  }

  /// Shows rows of a frame: for each component in `read` its index, the bytes from its first sample to its last, and the row.
  ///
  /// Chroma may have fewer rows. Cost: for formats that are unpacked a copy of the frame.
  ///
  /// - Throws: what mapping throws.
  public func read(_ rows: some Sequence<Int>, of buffer: Buffer, _ body: (Int, RawSpan, Int) -> Void) throws {
    guard let unpacked else {
      return try buffer.withFrame(info) { frame in
        for (index, component) in read.enumerated() {
          guard let (base, stride) = frame.samples(of: component) else { continue }
          for y in rows where 0..<component.rows ~= y {
            body(index, UnsafeRawBufferPointer(start: base + y * stride, count: component.rowBytes).bytes, y)
          }
        }
      }
    }
    // Unpacking reads a few bytes too many.
    try buffer.copied().withFrame(info) { frame in
      for y in rows {
        unpacked.read(y, of: frame)
        for (index, component) in read.enumerated() {
          body(index, UnsafeRawBufferPointer(start: unpacked.base + component.offset, count: component.rowBytes).bytes, y)
        }
      }
    }
  }

  /// A copy of a frame in memory of its own, each row changed: for each component in `changed` its index and the bytes from its
  /// first sample to its last. Times, flags and metadata are the frame's.
  ///
  /// - Throws: RESOURCE/NO_SPACE_LEFT without memory; what mapping throws.
  public func copy(of buffer: Buffer, _ body: (Int, inout MutableRawSpan) -> Void) throws -> Buffer {
    var copy = try buffer.copied()
    try copy.withWritableFrame(info) { frame in
      func show(_ index: Int, _ row: UnsafeMutableRawPointer) {
        var bytes = UnsafeMutableRawBufferPointer(start: row, count: changed[index].rowBytes).mutableBytes
        body(index, &bytes)
      }
      if let unpacked, info.paletteComponents == nil {
        for y in 0..<info.height {
          unpacked.read(y, of: frame)
          for (index, component) in changed.enumerated() { show(index, unpacked.base + component.offset) }
          unpacked.write(y, to: frame)
        }
      } else {
        for (index, component) in changed.enumerated() {
          guard let (base, stride) = frame.samples(of: component) else { continue }
          for y in 0..<component.rows { show(index, base + y * stride) }
        }
      }
    }
    return copy
  }
}

extension VideoComponent {
  /// Bytes from its first sample in a row to the end of the last.
  fileprivate var rowBytes: Int { (columns - 1) * step + wordBytes }
}
