import Glibc
import Tensors
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  private let folder = TemporaryFolder()

  @Test("Tensors are read with their shapes, strides and values")
  func reading() throws {
    let values: [Float] = [1, -2.5, .leastNonzeroMagnitude, 0, 65504, -1e30]
    let header = "{\"__metadata__\":{\"format\":\"pt\"},\(entry("b", "F32", "[2,3]", 4, 28)),\(entry("a", "U8", "[4]", 0, 4))}"
    let file = try SafetensorsFile(path: folder.write(safetensors(header, data: [9, 8, 7, 6] + littleEndian(values))))
    #expect(file.names == ["a", "b"])
    #expect(file.metadata == ["format": "pt"])
    #expect(try file.floats("b", shape: [2, 3]) == values)
    let view = try file.tensor("b", shape: [2, 3])
    #expect(view.strides == [3, 1])
    #expect(view.count == 6)
    #expect(view.byteCount == 24)
    let bytes = try file.tensor("a", shape: [4], types: [.uint8])
    #expect(try bytes.bytes() == [9, 8, 7, 6])
    #expect(try bytes.floats() == nil)
  }

  @Test("A view keeps its file open, whoever takes the file's name")
  func lifetime() throws {
    let bytes = safetensors("{\(entry("a", "F32", "[2]", 0, 8))}", data: littleEndian([5, 6]))
    let path = folder.write(bytes)
    let view = try #require(try SafetensorsFile(path: path)["a"])
    // As whoever replaces a model should do it.
    #expect(rename(folder.write(Array(bytes.dropLast(4)), name: "other"), path) == 0)
    #expect(try view.floats() == [5, 6])
    #expect(try view.row(1)?.floats() == [6])
  }

  @Test("Data at any alignment, scalars, empty tensors and names in any writing are read", arguments: 0..<8)
  func oddities(padding: Int) throws {
    let spaces = String(repeating: " ", count: padding)
    let header = "{\(entry("a\\\":{x", "F32", "[]", 0, 4)), \(entry("é\\u0041", "F16", "[3,0]", 4, 4))}" + spaces
    let file = try SafetensorsFile(path: folder.write(safetensors(header, data: littleEndian([7]))))
    #expect(file.names == ["a\":{x", "éA"])
    #expect(try file.floats("a\":{x", shape: []) == [7])
    #expect(try file.floats("éA", shape: [3, 0]) == [])
  }

  @Test("Every float16 is read as the number that it is")
  func halves() throws {
    let finite = (UInt16.min...UInt16.max).filter { Float16(bitPattern: $0).isFinite }
    let data = finite.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    let header = "{\(entry("a", "F16", "[\(finite.count)]", 0, data.count))}"
    let file = try SafetensorsFile(path: folder.write(safetensors(header, data: data)))
    let floats = try file.floats("a", shape: [finite.count])
    #expect(floats.map(\.bitPattern) == finite.map { Float(Float16(bitPattern: $0)).bitPattern })
  }

  @Test("Every bfloat16 is read as the upper half of a float32")
  func brainHalves() throws {
    let finite = (UInt16.min...UInt16.max).filter { Float(bitPattern: UInt32($0) << 16).isFinite }
    let data = finite.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    let header = "{\(entry("a", "BF16", "[\(finite.count)]", 0, data.count))}"
    let file = try SafetensorsFile(path: folder.write(safetensors(header, data: data)))
    #expect(try file.floats("a", shape: [finite.count]).map(\.bitPattern) == finite.map { UInt32($0) << 16 })
  }

  @Test(
    "An infinite value or a NaN is refused, and its tensor is named",
    arguments: [
      ("F16", [0x00, 0x7c]), ("F16", [0x01, 0xfe]), ("BF16", [0x80, 0xff]), ("BF16", [0xc0, 0x7f]), ("F32", [0, 0, 0x80, 0x7f]),
    ]
      as [(String, [UInt8])])
  func infinities(type: String, value: [UInt8]) throws {
    let data = [UInt8](repeating: 0, count: 10 * value.count) + value
    let file = try SafetensorsFile(path: folder.write(safetensors("{\(entry("bad.one", type, "[11]", 0, data.count))}", data: data)))
    let error = #expect(throws: WeightsError.self) { try file.floats("bad.one", shape: [11]) }
    #expect(error?.kind == .malformed)
    #expect(error?.tensor == "bad.one")
  }

  @Test("A tensor that is missing, of another shape or of another type is refused, and named")
  func expectations() throws {
    let header = "{\(entry("a", "F32", "[2]", 0, 8)),\(entry("i", "I32", "[2]", 8, 16))}"
    let path = folder.write(safetensors(header, data: littleEndian([1, 2, 3, 4])))
    let file = try SafetensorsFile(path: path)
    for (name, shape, words) in [("x", [2], "is missing"), ("a", [1, 2], "[2], not [1, 2]"), ("i", [2], "is int32, not float32")] {
      let error = #expect(throws: WeightsError.self) { try file.floats(name, shape: shape) }
      #expect(error?.kind == .malformed)
      #expect(error?.description.contains("\"\(path)\": tensor \"\(name)\"") == true)
      #expect(error?.description.contains(words) == true)
    }
  }
}
