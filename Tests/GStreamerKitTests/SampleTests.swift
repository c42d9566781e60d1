import CGStreamer
import GStreamerKit
import Testing

extension GStreamerKitTests {
  /// Frames that are read and written sample by sample.
  @Suite struct SampleTests {
    /// All that GstVideo unpacks, and so all that our elements take.
    static let formats: [String] = {
      guard Runtime.isReady, let caps = gst_caps_from_string(cgst_video_caps_all()) else { return [] }
      defer { gst_caps_unref(caps) }
      guard let list = gst_structure_get_value(gst_caps_get_structure(caps, 0), "format") else { return [] }
      return (0..<gst_value_list_get_size(list)).compactMap { index in
        gst_value_list_get_value(list, index).flatMap { g_value_get_string($0) }.map { String(cString: $0) }
      }
    }()
    static let sizes = [(1, 1), (2, 1), (3, 5), (7, 9), (16, 16), (65, 33), (97, 70)]

    private static func info(_ format: String, _ width: Int, _ height: Int) throws -> VideoInfo {
      try #require(VideoInfo(gst_video_format_from_string(format), width: width, height: height))
    }

    /// A frame with something in every sample, its planes padded on all sides as its metadata says.
    private static func frame(_ info: VideoInfo, padding: UInt32) throws -> UnsafeMutablePointer<GstBuffer> {
      var padded = info.gst
      var alignment = GstVideoAlignment()
      (alignment.padding_top, alignment.padding_left, alignment.padding_right, alignment.padding_bottom) = (
        padding, padding, padding, padding
      )
      let isTiled = (info.gst.finfo?.pointee.flags.rawValue ?? 0) & GST_VIDEO_FORMAT_FLAG_TILED.rawValue != 0
      if padding > 0, !isTiled { _ = gst_video_info_align(&padded, &alignment) }
      let buffer = try #require(gst_buffer_new_allocate(nil, padded.size, nil))
      var offsets = withUnsafeBytes(of: padded.offset) { Array($0.bindMemory(to: gsize.self)) }
      var strides = withUnsafeBytes(of: padded.stride) { Array($0.bindMemory(to: gint.self)) }
      gst_buffer_add_video_meta_full(
        buffer, GST_VIDEO_FRAME_FLAG_NONE, info.format, guint(info.width), guint(info.height), guint(info.planes), &offsets, &strides)
      for index in 0..<gsize(padded.size) { gst_buffer_memset(buffer, index, UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 7), 1) }
      return buffer
    }

    private static func bytes(_ buffer: UnsafeMutablePointer<GstBuffer>) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: Int(gst_buffer_get_size(buffer)))
      _ = gst_buffer_extract(buffer, 0, &bytes, gsize(bytes.count))
      return bytes
    }

    /// Passes all rows of a frame through `body`, unpacked.
    private static func rewrite(_ buffer: UnsafeMutablePointer<GstBuffer>, _ info: VideoInfo, _ body: (UnpackedRow) -> Void) throws {
      let row = try UnpackedRow(info)
      try WritableVideoFrame.map(buffer, info) { frame in
        for y in 0..<info.height {
          row.read(y, of: frame)
          body(row)
          row.write(y, to: frame)
        }
      }
    }

    /// Clears the highest bit of the samples of a row: the same in every depth, whatever fills the bits below.
    private static func clearHighest(_ component: VideoComponent, _ row: UnsafeMutableRawPointer) {
      let bit = UInt16(1) << UInt16(component.depth + component.shift - 1)
      for x in 0..<component.columns {
        let place = row + x * component.step
        if component.wordBytes == 1 {
          place.storeBytes(of: place.load(as: UInt8.self) & ~UInt8(bit), as: UInt8.self)
        } else {
          let word = place.loadUnaligned(as: UInt16.self)
          place.storeBytes(of: word & ~(component.isBigEndian ? bit.bigEndian : bit.littleEndian), as: UInt16.self)
        }
      }
    }

    @Test(arguments: SampleTests.formats) func aRowThatIsReadAndWrittenBackIsAsItWas(_ format: String) throws {
      for (width, height) in Self.sizes {
        for padding in [UInt32(0), 5] {
          let info = try Self.info(format, width, height)
          // Nobody writes the others so.
          if info.components != nil || info.paletteComponents != nil { continue }
          let buffer = try Self.frame(info, padding: padding)
          defer { gst_buffer_unref(buffer) }
          // Bits that a format leaves unused are not kept: once through they are what they stay.
          try Self.rewrite(buffer, info) { _ in }
          let before = Self.bytes(buffer)
          try Self.rewrite(buffer, info) { _ in }
          let isSame = Self.bytes(buffer) == before  // not in the macro, which would describe every difference
          #expect(isSame, "\(width)×\(height), padding \(padding)")
        }
      }
    }

    /// What lies where is told twice, by GStreamer's own unpacking and by `components`; both must be the same samples.
    @Test(arguments: SampleTests.formats) func componentsAreTheSamplesThatGStreamerUnpacks(_ format: String) throws {
      for (width, height) in Self.sizes {
        for padding in [UInt32(0), 5] {
          let info = try Self.info(format, width, height)
          // GStreamer 1.22 exchanges the chroma of NV61's last odd column when it packs it.
          guard let components = info.components, format != "NV61" || width % 2 == 0 else { continue }
          let (one, other) = (try Self.frame(info, padding: padding), try Self.frame(info, padding: padding))
          defer {
            gst_buffer_unref(one)
            gst_buffer_unref(other)
          }
          for buffer in [one, other] { try Self.rewrite(buffer, info) { _ in } }
          let before = Self.bytes(one)
          try Self.rewrite(one, info) { row in
            for component in row.components { Self.clearHighest(component, row.base + component.offset) }
          }
          try WritableVideoFrame.map(other, info) { frame in
            for component in components {
              let found = frame.samples(of: component)
              let (base, stride) = try #require(found)
              for y in 0..<component.rows { Self.clearHighest(component, base + y * stride) }
            }
          }
          let (isSame, isChanged) = (Self.bytes(one) == Self.bytes(other), Self.bytes(one) != before)
          #expect(isSame && (isChanged || width < 16), "\(width)×\(height), padding \(padding)")
        }
      }
    }

    @Test(arguments: SampleTests.formats) func whatIsChangedInACopyIsWhatIsReadOfIt(_ format: String) throws {
      for (width, height) in Self.sizes {
        for padding in [UInt32(0), 5] {
          let info = try Self.info(format, width, height)
          let original = Buffer(taking: try Self.frame(info, padding: padding))
          let before = original.bytes
          let rows = try SampleRows(info)
          let copy = try rows.copy(of: original) { index, row in
            row.withUnsafeMutableBytes { if let base = $0.baseAddress { Self.clearHighest(rows.changed[index], base) } }
          }
          var (seen, high) = (0, 0)
          try rows.read(0..<height, of: copy) { index, row, _ in
            let component = rows.read[index]
            seen += 1
            // GStreamer gives grey formats a chroma of their own, and loses some of narrow ones.
            guard info.components != nil || component.role != .chroma else { return }
            for x in 0..<component.columns {
              let word =
                component.wordBytes == 1
                ? UInt16(row.unsafeLoad(fromByteOffset: x * component.step, as: UInt8.self))
                : row.unsafeLoadUnaligned(fromByteOffset: x * component.step, as: UInt16.self)
              let sample = component.wordBytes == 2 && component.isBigEndian ? word.byteSwapped : word
              if sample >> UInt16(component.depth + component.shift - 1) & 1 != 0 { high += 1 }
            }
          }
          // Chroma may have fewer rows; what is unpacked has all of them.
          let all = info.components.map { $0.reduce(0) { $0 + $1.rows } } ?? height * rows.read.count
          #expect(high == 0 && seen == all, "\(width)×\(height), padding \(padding)")
          let isUntouched = original.bytes == before
          #expect(isUntouched)
        }
      }
    }

    /// Tiles, palettes, samples that straddle bytes; everything else has plain components.
    @Test func onlyPackedTiledAndPaletteFormatsHaveNoComponents() throws {
      let without = try Self.formats.filter { try Self.info($0, 16, 16).components == nil }
      let always = [
        "BGR10A2_LE", "BGR15", "BGR16", "GRAY10_LE32", "IYU1", "NV12_10BE_8L128", "NV12_10LE32", "NV12_10LE40", "NV12_16L32S", "NV12_32L32",
        "NV12_4L4", "NV12_64Z32", "NV12_8L128", "NV16_10LE32", "RGB10A2_LE", "RGB15", "RGB16", "RGB8P", "UYVP", "Y210", "Y212_BE",
        "Y212_LE", "Y410", "Y412_BE", "Y412_LE", "r210", "v210", "v216",
      ]
      // GStreamer 1.24 and 1.26 brought these.
      let newer = ["MT2110R", "MT2110T", "NV12_10LE40_4L4", "Y216_BE", "Y216_LE", "Y416_BE", "Y416_LE"]
      #expect(without.sorted() == (always + newer.filter(Self.formats.contains)).sorted())
    }

    @Test func aPaletteIsARowOfColors() throws {
      let info = try Self.info("RGB8P", 4, 4)
      let components = try #require(info.paletteComponents)
      #expect(components.map(\.role) == [.red, .green, .blue])
      let buffer = try Self.frame(info, padding: 0)
      defer { gst_buffer_unref(buffer) }
      let row = try UnpackedRow(info)
      func unpacked() throws -> [[UInt8]] {
        try VideoFrame.map(buffer, info) { frame in
          row.read(2, of: frame)
          return row.components.map { place in (0..<4).map { (row.base + place.offset + $0 * place.step).load(as: UInt8.self) } }
        }
      }
      let before = try unpacked()
      try WritableVideoFrame.map(buffer, info) { frame in
        for component in components {
          let found = frame.samples(of: component)
          Self.clearHighest(component, try #require(found).base)
        }
      }
      #expect(try unpacked() == before.map { $0.map { $0 & 127 } })
    }

    @Test(arguments: SampleTests.formats) func aFrameThatIsTooSmallIsNotWritten(_ format: String) throws {
      let info = try Self.info(format, 34, 18)
      let buffer = try #require(gst_buffer_new_allocate(nil, info.gst.size / 2, nil))
      defer { gst_buffer_unref(buffer) }
      #expect(throws: ElementError.self) { try WritableVideoFrame.map(buffer, info) { _ in } }
    }

    @Test func aCopyHasTimesAndMetadataOfTheFrameAndMemoryOfItsOwn() throws {
      let info = try Self.info("I420", 7, 9)
      let buffer = try Self.frame(info, padding: 5)
      defer { gst_buffer_unref(buffer) }
      (buffer.pointee.pts, buffer.pointee.duration) = (40, 2)
      gst_buffer_set_flags(buffer, GST_BUFFER_FLAG_DISCONT)
      let before = Self.bytes(buffer)
      let copy = try WritableVideoFrame.copy(of: buffer)
      defer { gst_buffer_unref(copy) }
      #expect(Self.bytes(copy) == before)
      #expect(copy.pointee.pts == 40 && copy.pointee.duration == 2 && gst_buffer_has_flags(copy, GST_BUFFER_FLAG_DISCONT) != 0)
      let (one, other) = (try #require(gst_buffer_get_video_meta(buffer)).pointee, try #require(gst_buffer_get_video_meta(copy)).pointee)
      #expect(
        one.stride.0 == other.stride.0 && one.stride.1 == other.stride.1 && one.offset.0 == other.offset.0 && one.offset.2 == other.offset.2
      )
      let component = try #require(info.components?.first)
      try WritableVideoFrame.map(copy, info) { frame in
        let found = frame.samples(of: component)
        try #require(found).base.storeBytes(of: 99, as: UInt8.self)
      }
      #expect(Self.bytes(buffer) == before && Self.bytes(copy) != before)
    }

    @Test func aFrameThatOthersHoldIsNotWritten() throws {
      let info = try Self.info("I420", 8, 8)
      let buffer = try Self.frame(info, padding: 0)
      defer { gst_buffer_unref(buffer) }
      gst_mini_object_ref(&buffer.pointee.mini_object)
      #expect(throws: ElementError.self) { try WritableVideoFrame.map(buffer, info) { _ in } }
      gst_buffer_unref(buffer)
      try WritableVideoFrame.map(buffer, info) { _ in }
      // Another buffer over the same memory.
      let other = try #require(gst_buffer_copy(buffer))
      #expect(throws: ElementError.self) { try WritableVideoFrame.map(buffer, info) { _ in } }
      gst_buffer_unref(other)
    }
  }
}
