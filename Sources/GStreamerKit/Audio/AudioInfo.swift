import CGStreamer

/// Raw audio caps, parsed.
public struct AudioInfo: @unchecked Sendable {
  /// For calls of the C API.
  public let gst: GstAudioInfo

  /// nil if the caps are not interleaved raw audio with a known format.
  public init?(caps: UnsafePointer<GstCaps>) {
    var info = GstAudioInfo()
    guard gst_audio_info_from_caps(&info, caps) != 0, info.finfo != nil, info.rate > 0, info.channels > 0, info.bpf > 0,
      info.layout == GST_AUDIO_LAYOUT_INTERLEAVED
    else { return nil }
    gst = info
  }

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
  /// The part of raw sound that lies in a segment, cut to the sample; nil if nothing does.
  public func clipped(to segment: Segment, _ info: AudioInfo) -> Buffer? {
    let copy = self
    guard let own = copy.release() else { return nil }
    return withUnsafePointer(to: segment.gst) { gst_audio_buffer_clip(own, $0, info.gst.rate, info.gst.bpf) }.map { Buffer(taking: $0) }
  }
}
