/// Reads the fields of a protocol buffers message, without a schema and without copying.
///
/// Source: the encoding as documented at protobuf.dev; groups, which nothing has used for long, are refused.
struct ProtobufReader {
  enum Value {
    case integer(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// A string, bytes or a message: where it lies.
    case bytes(Range<Int>)
  }

  /// Where a message cannot be read, and why.
  struct Flaw: Error {
    var offset: Int
    var reason: String
  }

  private let bytes: [UInt8]
  private let end: Int
  private(set) var position: Int

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = min(range.upperBound, bytes.count)
  }

  /// The next field, or nil behind the last one.
  mutating func next() throws(Flaw) -> (number: UInt64, value: Value)? {
    guard position < end else { return nil }
    let start = position
    let tag = try integer()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw Flaw(offset: start, reason: "a field of number \(tag >> 3)") }
    switch tag & 7 {
    case 0: return (tag >> 3, .integer(try integer()))
    case 1: return (tag >> 3, .fixed64(try fixed(8)))
    case 2:
      let length = try integer()
      guard let count = Int(exactly: length), count <= end - position else {
        throw Flaw(offset: start, reason: "a field of \(length) bytes with \(end - position) left")
      }
      defer { position += count }
      return (tag >> 3, .bytes(position..<position + count))
    case 5: return (tag >> 3, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw Flaw(offset: start, reason: "a field of wire type \(tag & 7)")
    }
  }

  private mutating func integer() throws(Flaw) -> UInt64 {
    var result: UInt64 = 0
    let start = position
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < end else { throw Flaw(offset: start, reason: "an integer that does not end") }
      let byte = bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return result }
    }
    throw Flaw(offset: start, reason: "an integer of more than 10 bytes")
  }

  private mutating func fixed(_ count: Int) throws(Flaw) -> UInt64 {
    guard count <= end - position else { throw Flaw(offset: position, reason: "a number that does not end") }
    defer { position += count }
    return bytes[position..<position + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
