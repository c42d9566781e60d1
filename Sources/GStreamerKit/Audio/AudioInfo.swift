import CGStreamer

/// Raw audio caps, parsed.
public struct AudioInfo: @unchecked Sendable {
  /// For calls of the C API.
  public let gst: GstAudioInfo

  /// nil if the caps are not interleaved raw audio with a known format.
  public init?(caps: UnsafePointer<GstCaps>) {
    self.init(anyLayout: caps)
    guard gst.layout == GST_AUDIO_LAYOUT_INTERLEAVED else { return nil }
  }

  /// The same for sound whose channels may lie one after the other: to hand it on, since nothing here reads it.
  public init?(anyLayout caps: UnsafePointer<GstCaps>) {
    var info = GstAudioInfo()
    guard gst_audio_info_from_caps(&info, caps) != 0, info.finfo != nil, info.rate > 0, info.channels > 0, info.bpf > 0 else { return nil }
    gst = info
  }

  /// Whether GStreamer's own elements for sound can be given it: from 64 channels on its converter reads where nothing is, and what
  /// fills gaps allocates a second at once.
  public var isConvertible: Bool { channels < 64 && rate <= 1_536_000 }

  /// Samples a second and channel.
  public var rate: Int { Int(gst.rate) }
  /// At least 1, interleaved in the order of the caps.
  public var channels: Int { Int(gst.channels) }
  /// Of one sample of every channel.
  public var bytesPerFrame: Int { Int(gst.bpf) }

  private var unpacksToDouble: Bool { gst.finfo?.pointee.unpack_format == GST_AUDIO_FORMAT_F64 }

  /// Raw bytes as numbers: [samples, channels], in units that `bytes(of:)` takes back. Whole samples only.
  public func numbers(in bytes: UnsafeRawBufferPointer) -> [Double] {
    let count = bytes.count / bytesPerFrame * channels
    guard count > 0, let base = bytes.baseAddress, let length = Int32(exactly: count) else { return [] }
    return withUnsafePointer(to: gst) { info in
      if unpacksToDouble {
        return [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
          cgst_audio_unpack(info, buffer.baseAddress, base, length)
          initialized = count
        }
      }
      return [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
        cgst_audio_unpack(info, buffer.baseAddress, base, length)
        initialized = count
      }.map(Double.init)
    }
  }

  /// The same of bytes that were copied.
  public func numbers(in bytes: [UInt8]) -> [Double] { bytes.withUnsafeBytes { numbers(in: $0) } }

  /// Whether samples are written alike.
  public func hasSamples(like other: AudioInfo) -> Bool {
    (rate, channels, gst.finfo?.pointee.format) == (other.rate, other.channels, other.gst.finfo?.pointee.format)
  }

  /// The reverse of `numbers(in:)`; integers are rounded and saturate.
  public func bytes(of numbers: [Double]) -> [UInt8] {
    let count = numbers.count / channels * channels
    guard count > 0, let length = Int32(exactly: count) else { return [] }
    let size = count / channels * bytesPerFrame
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      withUnsafePointer(to: gst) { info in
        if unpacksToDouble {
          cgst_audio_pack(info, numbers, buffer.baseAddress, length)
        } else {
          let whole = numbers.map { Int32(max(Double(Int32.min), min(Double(Int32.max), $0.rounded()))) }
          cgst_audio_pack(info, whole, buffer.baseAddress, length)
        }
      }
      initialized = size
    }
  }
}

extension Buffer {
  /// Whether its samples lie as these caps say. Metadata of sound can claim another layout, or samples that it does not hold.
  public func hasSamples(_ info: AudioInfo) -> Bool {
    guard let meta = gst.flatMap({ gst_buffer_get_meta($0, gst_audio_meta_api_get_type()) }) else { return true }
    let claimed = UnsafeMutableRawPointer(meta).assumingMemoryBound(to: GstAudioMeta.self).pointee
    guard claimed.info.layout == info.gst.layout, claimed.info.bpf == info.gst.bpf, claimed.info.channels == info.gst.channels,
      claimed.samples <= gsize(size / info.bytesPerFrame)
    else { return false }
    guard info.gst.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED, let offsets = claimed.offsets else { return true }
    let last = gsize(size) - claimed.samples * gsize(info.bytesPerFrame / info.channels)
    return (0..<info.channels).allSatisfy { offsets[$0] <= last }
  }

  /// The part of raw sound that lies in a segment, cut to the sample; nil if nothing does, and if its metadata are of other sound.
  public func clipped(to segment: Segment, _ info: AudioInfo) -> Buffer? {
    guard hasSamples(info) else { return nil }
    let copy = self
    guard let own = copy.release() else { return nil }
    return withUnsafePointer(to: segment.gst) { gst_audio_buffer_clip(own, $0, info.gst.rate, info.gst.bpf) }.map { Buffer(taking: $0) }
  }
}
