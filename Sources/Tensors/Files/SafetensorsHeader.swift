/// The JSON at the head of a safetensors file, checked against the file's size.
///
/// The format: 8 bytes, the header's length as a little-endian integer; the header, a JSON object with an entry
/// `{"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}` a tensor and perhaps a `__metadata__` of strings; the data,
/// which the offsets cover without gaps or overlaps. https://github.com/huggingface/safetensors
struct SafetensorsHeader {
  /// What the published implementation allows, in bytes.
  static let largest = 100_000_000

  /// Far beyond any model's. A header of nothing but tensors would otherwise become some hundred bytes of memory for each of its own.
  static let mostTensors = 250_000
  /// Of the metadata.
  static let mostTexts = 10_000

  struct Tensor {
    var type: DataType
    var shape: [Int]
    /// From the beginning of the file.
    var bytes: Range<Int>
  }

  var tensors: [String: Tensor] = [:]
  var metadata: [String: String] = [:]

  /// Reads the header, and nothing of the data.
  init(_ file: ModelFile) throws(WeightsError) {
    let path = file.path
    func malformed(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, reason) }
    guard file.size > 8 else { throw malformed("is too short for a safetensors file") }
    var length: UInt64 = 0
    for byte in try Self.bytes(of: file, 0..<8).reversed() { length = length << 8 | UInt64(byte) }
    if length > UInt64(Self.largest) || length > UInt64(file.size - 8),
      let kind = ForeignFile.kind(try Self.bytes(of: file, 0..<min(file.size, 512)))
    {
      throw malformed(kind)
    }
    guard length <= UInt64(Self.largest) else {
      throw malformed("is no safetensors file: the length of its header would be \(length)")
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= file.size else { throw malformed("is truncated: a header of \(length) bytes in a file of \(file.size)") }
    let entries = try Self.bytes(of: file, 8..<dataStart).withUnsafeBufferPointer { json throws(WeightsError) in
      try readListing(UnsafeRawBufferPointer(json), path: path)
    }
    try locate(entries, dataStart: dataStart, fileSize: file.size, path: path)
  }

  private static func bytes(of file: ModelFile, _ range: Range<Int>) throws(WeightsError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withUnsafeMutableBufferPointer { room throws(WeightsError) in
      try file.read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(room))
    }
    return bytes
  }

  /// Reads the JSON, and the metadata into place.
  private mutating func readListing(_ json: UnsafeRawBufferPointer, path: String) throws(WeightsError) -> [String: TensorEntry] {
    var reader = JSONReader(json)
    var entries: [String: TensorEntry] = [:]
    var texts: [String: String]?
    func malformed(_ fault: JSONReader.Fault) -> WeightsError {
      WeightsError(.malformed, path: path, "has a header that is no JSON object of tensors: it \(fault.reason)")
    }
    try reader.object(
      { reader, name throws(WeightsError) in
        do throws(JSONReader.Fault) {
          if name == "__metadata__" {
            guard texts == nil else { throw JSONReader.Fault(reason: "is there twice") }
            texts = try Self.readMetadata(&reader)
            return
          }
          guard entries.updateValue(try TensorEntry(&reader), forKey: name) == nil else {
            throw JSONReader.Fault(reason: "is there twice, two tensors of the same name")
          }
        } catch {
          throw WeightsError(.malformed, path: path, tensor: name, "has no valid entry in the header: it \(error.reason)")
        }
        guard entries.count <= Self.mostTensors else {
          throw WeightsError(.malformed, path: path, "has more than \(Self.mostTensors) tensors")
        }
      }, or: malformed)
    do throws(JSONReader.Fault) { try reader.end() } catch { throw malformed(error) }
    metadata = texts ?? [:]
    return entries
  }

  private static func readMetadata(_ reader: inout JSONReader) throws(JSONReader.Fault) -> [String: String] {
    var texts: [String: String] = [:]
    try reader.object { reader, name throws(JSONReader.Fault) in
      guard texts.updateValue(try reader.string(), forKey: name) == nil else { throw JSONReader.Fault(reason: "has \"\(name)\" twice") }
      guard texts.count <= mostTexts else { throw JSONReader.Fault(reason: "has more than \(mostTexts) texts") }
    }
    return texts
  }

  /// Checks every entry by itself, and that together they cover the data.
  private mutating func locate(
    _ entries: [String: TensorEntry], dataStart: Int, fileSize: Int, path: String
  ) throws(WeightsError) {
    let inOrder = entries.sorted { a, b in
      (a.value.begin, a.value.end, a.key) < (b.value.begin, b.value.end, b.key)
    }
    let dataSize = fileSize - dataStart
    var end = 0
    for (name, entry) in inOrder {
      func malformed(_ reason: String) -> WeightsError { WeightsError(.malformed, path: path, tensor: name, reason) }
      guard let type = DataType(rawValue: entry.dtype) else { throw malformed("is of an unsupported type, \"\(entry.dtype)\"") }
      guard let extent = Extent(shape: entry.shape, type: type) else { throw malformed("has an impossible shape, \(entry.shape)") }
      guard 0 <= entry.begin, entry.begin <= entry.end else { throw malformed("has impossible offsets, \(entry.begin) and \(entry.end)") }
      guard entry.end - entry.begin == extent.byteCount else {
        throw malformed("has \(entry.end - entry.begin) bytes, but a \(type) of shape \(entry.shape) takes \(extent.byteCount)")
      }
      guard entry.end <= dataSize else { throw malformed("ends \(entry.end - dataSize) bytes behind the end of the file") }
      guard entry.begin >= end else { throw malformed("overlaps another one") }
      guard entry.begin == end else { throw malformed("has \(entry.begin - end) bytes before it that belong to no tensor") }
      end = entry.end
      tensors[name] = Tensor(type: type, shape: entry.shape, bytes: dataStart + entry.begin..<dataStart + entry.end)
    }
    guard end == dataSize else { throw WeightsError(.malformed, path: path, "has \(dataSize - end) bytes after its last tensor") }
  }
}

/// A tensor's entry as it is written.
private struct TensorEntry {
  var dtype: String
  var shape: [Int]
  var begin: Int
  var end: Int

  static let mostAxes = 32

  init(_ reader: inout JSONReader) throws(JSONReader.Fault) {
    var dtype: String?
    var shape: [Int]?
    var offsets: [Int]?
    try reader.object { reader, name throws(JSONReader.Fault) in
      switch name {
      case "dtype" where dtype == nil:
        dtype = try reader.field(name) { reader throws(JSONReader.Fault) in try reader.string() }
      case "shape" where shape == nil:
        shape = try reader.field(name) { reader throws(JSONReader.Fault) in try reader.integers(atMost: Self.mostAxes) }
      case "data_offsets" where offsets == nil:
        offsets = try reader.field(name) { reader throws(JSONReader.Fault) in try reader.integers(atMost: 2) }
      case "dtype", "shape", "data_offsets": throw JSONReader.Fault(reason: "has \"\(name)\" twice")
      default: try reader.skip()
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw JSONReader.Fault(reason: "lacks one of dtype, shape and two data_offsets")
    }
    self.dtype = dtype
    self.shape = shape
    begin = offsets[0]
    end = offsets[1]
  }
}

extension JSONReader {
  /// Says which field it is that cannot be read.
  fileprivate mutating func field<Value>(_ name: String, _ read: (inout JSONReader) throws(Fault) -> Value) throws(Fault) -> Value {
    do throws(Fault) { return try read(&self) } catch { throw Fault(reason: "has no valid \(name): it \(error.reason)") }
  }

  fileprivate mutating func integers(atMost most: Int) throws(Fault) -> [Int] {
    var integers: [Int] = []
    try array { reader throws(Fault) in
      guard integers.count < most else { throw Fault(reason: "has more than \(most) numbers") }
      integers.append(try reader.integer())
    }
    return integers
  }
}
