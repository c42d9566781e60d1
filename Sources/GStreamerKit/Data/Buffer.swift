import CGStreamer
import Timing

/// A piece of a stream: times, metadata, and memory that may be shared.
///
/// A value: a copy of it shares the buffer, and whoever changes its times or metadata gets one of his own then, over the same
/// memory (copy on write, as with `gst_buffer_make_writable`).
public struct Buffer: MiniObject, @unchecked Sendable {
  private var reference: Reference<GstBuffer>

  /// Takes the caller's reference.
  public init(taking pointer: UnsafeMutablePointer<GstBuffer>) { reference = Reference(miniObject: pointer) }

  /// New memory of so many bytes; nil if there is none.
  public init?(size: Int) {
    guard let size = gsize(exactly: size), let pointer = gst_buffer_new_allocate(nil, size, nil) else { return nil }
    self.init(taking: pointer)
  }

  /// New memory with these bytes; nil if there is none.
  public init?(bytes: [UInt8]) {
    self.init(size: bytes.count)
    gst_buffer_fill(gst, 0, bytes, gsize(bytes.count))
  }

  /// For calls of the C API; still owned here.
  public var gst: UnsafeMutablePointer<GstBuffer>? { reference.pointer }

  /// Gives a reference away, to a call of the C API that takes it.
  public consuming func release() -> UnsafeMutablePointer<GstBuffer>? { giveAway(&reference) }

  /// Times and metadata of its own, if others hold the buffer.
  private mutating func makeWritable() {
    if isKnownUniquelyReferenced(&reference), let object = reference.miniObject, gst_mini_object_is_writable(object) != 0 { return }
    if let pointer = reference.pointer, let copy = cgst_buffer_copy(pointer) { reference = Reference(miniObject: copy) }
  }

  private mutating func write(_ body: (UnsafeMutablePointer<GstBuffer>) -> Void) {
    makeWritable()
    if let pointer = reference.pointer { body(pointer) }
  }

  // MARK: Times and flags

  /// Presentation time in the segment's time, nanoseconds.
  public var pts: ClockTime? {
    get { gst?.pointee.pts.valid }
    set { write { $0.pointee.pts = newValue.orNone } }
  }

  /// When it is decoded, nanoseconds.
  public var dts: ClockTime? {
    get { gst?.pointee.dts.valid }
    set { write { $0.pointee.dts = newValue.orNone } }
  }

  /// Moves its times. One that is not moved stays as it is, and is not copied.
  public mutating func move(by shift: TimeOffset) {
    guard shift.amount > 0 else { return }
    (pts, dts) = (pts.map { shift.moved($0) }, dts.map { shift.moved($0) })
  }

  /// Nanoseconds.
  public var duration: ClockTime? {
    get { gst?.pointee.duration.valid }
    set { write { $0.pointee.duration = newValue.orNone } }
  }

  /// Removes what is said of its place in a file, or counted in frames.
  public mutating func removeOffsets() {
    write { buffer in
      buffer.pointee.offset = .max
      buffer.pointee.offset_end = .max
    }
  }

  /// When it is shown.
  public func time(in segment: Segment) -> BufferTime {
    gst.map { buffer in withUnsafePointer(to: segment.gst) { BufferTime(buffer, in: $0) } } ?? BufferTime()
  }

  private func has(_ flag: GstBufferFlags) -> Bool { gst.map { gst_buffer_has_flags($0, flag) != 0 } ?? false }

  private mutating func set(_ flag: GstBufferFlags, _ isSet: Bool) {
    guard has(flag) != isSet else { return }
    write { buffer in
      if isSet { gst_buffer_set_flags(buffer, flag) } else { gst_buffer_unset_flags(buffer, flag) }
    }
  }

  /// Whether it does not follow what came before it.
  public var isDiscontinuous: Bool {
    get { has(GST_BUFFER_FLAG_DISCONT) }
    set { set(GST_BUFFER_FLAG_DISCONT, newValue) }
  }

  /// Whether it only fills a gap.
  public var isGap: Bool {
    get { has(GST_BUFFER_FLAG_GAP) }
    set { set(GST_BUFFER_FLAG_GAP, newValue) }
  }

  /// Whether decoding can begin here.
  public var isKeyFrame: Bool { !has(GST_BUFFER_FLAG_DELTA_UNIT) }

  // MARK: Memory

  /// Bytes.
  public var size: Int { gst.map { Int(gst_buffer_get_size($0)) } ?? 0 }

  /// A copy of a range of its bytes; fewer if it has not so many.
  public func bytes(_ range: Range<Int>) -> [UInt8] {
    guard let gst, let from = gsize(exactly: range.lowerBound), range.lowerBound < size else { return [] }
    let count = min(range.upperBound, size) - range.lowerBound
    return [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
      initialized = Int(gst_buffer_extract(gst, from, bytes.baseAddress, gsize(count)))
    }
  }

  /// All of its bytes.
  public var bytes: [UInt8] { bytes(0..<size) }

  /// A range of its bytes as a buffer, over the same memory, with its metadata; nil if it has no such bytes. Its times are those
  /// of the whole.
  public func part(_ range: Range<Int>) -> Buffer? {
    guard let gst, range.lowerBound >= 0, range.upperBound <= size, !range.isEmpty,
      let part = gst_buffer_copy_region(gst, cgst_buffer_copy_all(), gsize(range.lowerBound), gsize(range.count))
    else { return nil }
    return Buffer(taking: part)
  }

  /// This buffer with the picture of another, which is shared and not copied.
  public func withPicture(of other: Buffer) -> Buffer? {
    guard let gst, let picture = other.gst, let made = cgst_buffer_with_picture(gst, picture) else { return nil }
    return Buffer(taking: made)
  }

  // MARK: Metadata

  /// Custom metadata of this name, in the order in which it was added.
  public func metadata(_ name: Metadata) -> [Structure] { gst.map { name.all(on: $0) } ?? [] }

  /// Whether it carries any of this name.
  public func carries(_ name: Metadata) -> Bool { gst.map { name.isOn($0) } ?? false }

  /// Adds custom metadata.
  public mutating func add(_ fields: Structure, as name: Metadata) { write { name.add(fields, to: $0) } }

  /// Removes all custom metadata of a name.
  public mutating func removeAll(_ name: Metadata) {
    if carries(name) { write { name.removeAll(from: $0) } }
  }

  /// The SMPTE time code of a frame; nil if it has none. Setting adds one, nil removes it.
  public var timeCode: TimeCode? {
    get { gst.flatMap { TimeCode($0) } }
    set {
      let old = gst.flatMap { gst_buffer_get_meta($0, gst_video_time_code_meta_api_get_type()) } != nil
      guard old || newValue != nil else { return }
      write { buffer in
        while let code = gst_buffer_get_meta(buffer, gst_video_time_code_meta_api_get_type()) { gst_buffer_remove_meta(buffer, code) }
        newValue?.add(to: buffer)
      }
    }
  }

  // MARK: Frames

  /// Maps it for reading as a frame of these caps and passes that to `body`.
  ///
  /// - Throws: STREAM/FAILED if it cannot be mapped or is smaller than its caps say; what `body` throws.
  public func withFrame<R>(_ info: VideoInfo, _ body: (borrowing VideoFrame) throws -> R) throws -> R {
    guard let gst else { throw VideoFrame.tooSmall(0, info) }
    return try VideoFrame.map(gst, info, body)
  }

  /// Maps it for reading and writing as a frame of these caps. It has to be nobody else's.
  ///
  /// - Throws: STREAM/FAILED if others hold the buffer or its memory, it cannot be mapped, or it is smaller than its caps say; what
  ///   `body` throws.
  public mutating func withWritableFrame<R>(_ info: VideoInfo, _ body: (borrowing WritableVideoFrame) throws -> R) throws -> R {
    guard isKnownUniquelyReferenced(&reference), let gst else {
      throw ElementError.stream(GST_STREAM_ERROR_FAILED, "A \(info.formatName) frame that others hold cannot be written.")
    }
    return try WritableVideoFrame.map(gst, info, body)
  }

  /// A copy in one block of memory of its own, with its times, flags and metadata: see `WritableVideoFrame.copy(of:)`.
  ///
  /// - Throws: RESOURCE/NO_SPACE_LEFT without memory, STREAM/FAILED if it cannot be read.
  public func copied() throws -> Buffer {
    guard let gst else { throw ElementError.stream(GST_STREAM_ERROR_FAILED, "A buffer that was given away cannot be read.") }
    return Buffer(taking: try WritableVideoFrame.copy(of: gst))
  }
}
