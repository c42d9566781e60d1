import FoundationEssentials

/// The JSON at the head of a safetensors file, checked against the file's size.
///
/// The format: 8 bytes, the header's length as a little-endian integer; the header, a JSON object with an entry
/// `{"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}` a tensor and perhaps a `__metadata__` of strings; the data,
/// which the offsets cover without gaps or overlaps. https://github.com/huggingface/safetensors
struct SafetensorsHeader {
  /// What the published implementation allows, in bytes.
  static let largest = 100_000_000

  struct Tensor {
    var type: DataType
    var shape: [Int]
    /// From the beginning of the file.
    var bytes: Range<Int>
  }

  var tensors: [String: Tensor] = [:]
  var metadata: [String: String] = [:]

  init(_ file: UnsafeRawBufferPointer, path: String) throws(WeightsError) {
    guard file.count > 8 else { throw WeightsError(.malformed, path: path, "is too short for a safetensors file") }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= Self.largest else {
      throw WeightsError(.malformed, path: path, "is no safetensors file: the length of its header would be \(length)")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= file.count else {
      throw WeightsError(.malformed, path: path, "is truncated: a header of \(length) bytes in a file of \(file.count)")
    }
    let json = UnsafeRawBufferPointer(rebasing: file[8..<dataStart])

    let listing: Listing
    do {
      listing = try JSONDecoder().decode(Listing.self, from: Data(json))
    } catch let fault as Listing.Fault {
      throw WeightsError(.malformed, path: path, tensor: fault.tensor, "has no valid dtype, shape and data_offsets")
    } catch {
      throw WeightsError(.malformed, path: path, "has a header that is no JSON object of tensors")
    }
    // The decoder keeps one of two entries of the same name.
    guard Self.countMembers(json) == listing.tensors.count + (listing.metadata == nil ? 0 : 1) else {
      throw WeightsError(.malformed, path: path, "has two tensors of the same name")
    }
    metadata = listing.metadata ?? [:]
    try locate(listing.tensors, dataStart: dataStart, fileSize: file.count, path: path)
  }

  /// Checks every entry by itself, and that together they cover the data.
  private mutating func locate(
    _ entries: [String: Listing.Entry], dataStart: Int, fileSize: Int, path: String
  ) throws(WeightsError) {
    let inOrder = entries.sorted { a, b in
      a.value.data_offsets.lexicographicallyPrecedes(b.value.data_offsets)
        || (a.value.data_offsets == b.value.data_offsets && a.key < b.key)
    }
    let dataSize = fileSize - dataStart
    var end = 0
    for (name, entry) in inOrder {
      func malformed(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, tensor: name, reason) }
      guard let type = DataType(rawValue: entry.dtype) else { throw malformed("is of an unsupported type, \"\(entry.dtype)\"") }
      guard let extent = Extent(shape: entry.shape, type: type) else { throw malformed("has an impossible shape, \(entry.shape)") }
      let offsets = entry.data_offsets
      guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1] else { throw malformed("has impossible offsets, \(offsets)") }
      guard offsets[1] - offsets[0] == extent.byteCount else {
        throw malformed("has \(offsets[1] - offsets[0]) bytes, but a \(type) of shape \(entry.shape) takes \(extent.byteCount)")
      }
      guard offsets[1] <= dataSize else { throw malformed("ends \(offsets[1] - dataSize) bytes behind the end of the file") }
      guard offsets[0] >= end else { throw malformed("overlaps another one") }
      guard offsets[0] == end else { throw malformed("has \(offsets[0] - end) bytes before it that belong to no tensor") }
      end = offsets[1]
      tensors[name] = Tensor(type: type, shape: entry.shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1])
    }
    guard end == dataSize else { throw WeightsError(.malformed, path: path, "has \(dataSize - end) bytes after its last tensor") }
  }

  /// The number of members of the outermost object of valid JSON, counting those of equal names.
  private static func countMembers(_ json: UnsafeRawBufferPointer) -> Int {
    var members = 0
    var depth = 0
    var isInString = false
    var isEscaped = false
    for byte in json {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\"): isEscaped = isInString
      case UInt8(ascii: "\""): isInString.toggle()
      case _ where isInString: break
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: members += 1
      default: break
      }
    }
    return members
  }
}

/// The header as it is written.
private struct Listing: Decodable {
  struct Entry: Decodable {
    var dtype: String
    var shape: [Int]
    var data_offsets: [Int]
  }
  struct Fault: Error {
    var tensor: String
  }
  struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var tensors: [String: Entry] = [:]
  var metadata: [String: String]?

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Name.self)
    for name in members.allKeys {
      do {
        if name.stringValue == "__metadata__" {
          metadata = try members.decode([String: String].self, forKey: name)
        } else {
          tensors[name.stringValue] = try members.decode(Entry.self, forKey: name)
        }
      } catch {
        throw Fault(tensor: name.stringValue)
      }
    }
  }
}
