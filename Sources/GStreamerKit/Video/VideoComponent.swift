import CGStreamer

/// Where the samples of one component lie in a frame, for code that treats every sample alike.
public struct VideoComponent: Hashable, Sendable {
  /// What samples say. Cb and Cr are both `chroma`; the only component of a grey format is `luma`.
  public enum Role: Sendable { case luma, chroma, red, green, blue }

  /// Of all samples of the component.
  public var role: Role
  /// Index among the frame's planes, from 0.
  public var plane: Int
  /// Bytes from the start of a row to the first sample.
  public var offset: Int
  /// Samples.
  public var columns: Int
  /// Samples down a column, of both fields; fewer than the frame's rows where chroma is subsampled.
  public var rows: Int
  /// Bytes from a sample to the next in its row.
  public var step: Int
  /// Bytes of the word that holds a sample, 1 or 2.
  public var wordBytes: Int
  /// Order of the bytes in a word of two; means nothing of a single byte.
  public var isBigEndian: Bool
  /// Bits that count, and how many lie below them in the word.
  public var depth: Int
  /// Bits below a sample in its word: 6 in P010, 0 in I420_10LE.
  public var shift: Int
}

extension VideoComponent {
  /// Whether the words of two components of a plane share bytes. Steps are multiples of each other.
  fileprivate func overlaps(_ other: VideoComponent) -> Bool {
    guard plane == other.plane else { return false }
    let period = min(step, other.step)
    return abs(offset % period - other.offset % period) < wordBytes
  }
}

extension VideoFrame {
  /// Whether no sample is larger than its bits, where those are fewer than those of the word that it lies in. x264 ends the process
  /// over one that is.
  ///
  /// Cost: one pass over frames of 9 to 15 bits; nothing for others.
  public var isWithinDepth: Bool {
    guard let components = info.components else { return true }
    for component in components where component.wordBytes == 2 && component.shift == 0 && component.depth < 16 {
      guard let (base, stride) = samples(of: component) else { continue }
      var bits: UInt16 = 0
      for y in 0..<component.rows {
        let row = base + y * stride
        // Planes, which is what nearly all such formats have, in many samples at a time.
        if component.step == 2 {
          for x in 0..<component.columns { bits |= row.loadUnaligned(fromByteOffset: x * 2, as: UInt16.self) }
        } else {
          for x in 0..<component.columns { bits |= row.loadUnaligned(fromByteOffset: x * component.step, as: UInt16.self) }
        }
      }
      if (component.isBigEndian ? bits.bigEndian : bits.littleEndian) >> UInt16(component.depth) != 0 { return false }
    }
    return true
  }
}

extension VideoInfo {
  /// The components, alpha left out; nil of formats in which samples are not words of 8 or 16 bits that follow each other at
  /// equal distances: palettes, tiles and what is packed tighter. Those are read and written by `UnpackedRow`.
  public var components: [VideoComponent]? {
    let other = GST_VIDEO_FORMAT_FLAG_COMPLEX.rawValue | GST_VIDEO_FORMAT_FLAG_TILED.rawValue | GST_VIDEO_FORMAT_FLAG_PALETTE.rawValue
    // GStreamer 1.22 says that v216 is big-endian, and packs it little-endian.
    guard let description = gst.finfo, description.pointee.flags.rawValue & other == 0, format != GST_VIDEO_FORMAT_v216 else { return nil }
    let has = { (flag: GstVideoFormatFlags) in description.pointee.flags.rawValue & flag.rawValue != 0 }
    let roles: [VideoComponent.Role] = has(GST_VIDEO_FORMAT_FLAG_RGB) ? [.red, .green, .blue] : [.luma, .chroma, .chroma]
    let wordBytes = description.pointee.bits > 8 ? 2 : 1
    let colors = Int(description.pointee.n_components) - (has(GST_VIDEO_FORMAT_FLAG_ALPHA) ? 1 : 0)
    var found: [VideoComponent] = []
    for (index, role) in roles.prefix(max(0, colors)).enumerated() {
      let c = UInt32(index)
      let offset = Int(cgst_format_offset(description, c))
      let (columns, rows) = withUnsafePointer(to: gst) { (Int(cgst_component_columns($0, c)), Int(cgst_component_rows($0, c))) }
      let component = VideoComponent(
        role: role, plane: Int(cgst_format_plane(description, c)),
        // GStreamer 1.22 counts samples, not bytes, in P010 and its like.
        offset: wordBytes == 2 && offset % 2 == 1 ? 2 * offset : offset, columns: columns, rows: rows,
        step: Int(cgst_format_step(description, c)), wordBytes: wordBytes, isBigEndian: !has(GST_VIDEO_FORMAT_FLAG_LE),
        depth: Int(cgst_format_depth(description, c)), shift: Int(cgst_format_shift(description, c)))
      // Formats that pack several samples into a word say so by nothing else than that these overlap.
      guard component.depth >= 8, component.depth + component.shift <= 8 * wordBytes, component.step >= wordBytes,
        !found.contains(where: { $0.overlaps(component) })
      else { return nil }
      found.append(component)
    }
    return found
  }

  /// The entries of the palette, as one row of 256 in the frame's second plane; nil of formats without.
  public var paletteComponents: [VideoComponent]? {
    guard let description = gst.finfo, description.pointee.flags.rawValue & GST_VIDEO_FORMAT_FLAG_PALETTE.rawValue != 0 else { return nil }
    // Entries are words 0xAARRGGBB in the machine's order.
    let layout = Int(1).littleEndian == 1 ? GST_VIDEO_FORMAT_BGRA : GST_VIDEO_FORMAT_ARGB
    return VideoInfo(layout, width: 256, height: 1)?.components?.map { component in
      var component = component
      component.plane = 1
      return component
    }
  }
}
