import Glibc
import Tensors
import Testing

/// A file that must not open, and a word of the error that says why.
struct Damage: Sendable, CustomTestStringConvertible {
  var name: String
  var file: [UInt8]
  var word: String
  var tensor: String?
  var testDescription: String { name }

  init(_ name: String, _ header: String, data: Int = 0, length: UInt64? = nil, tensor: String? = nil, _ word: String) {
    self.name = name
    self.word = word
    self.tensor = tensor
    file = safetensors(header, data: [UInt8](repeating: 0, count: data), length: length)
  }

  static let good = entry("a", "F32", "[2]", 0, 8)

  static let all = [
    Damage("a header length beyond the file", "{\(good)}", data: 8, length: 1000, "truncated"),
    Damage("a header length beyond reason", "{\(good)}", data: 8, length: 100_000_001, "length"),
    Damage("a header length beyond Int", "{\(good)}", data: 8, length: .max, "length"),
    Damage("no header", "", data: 1, "JSON"),
    Damage("a header that is no JSON", "{\"a\"", data: 8, "JSON"),
    Damage("a header cut off in an entry", "{\"a\":", data: 8, tensor: "a", "JSON"),
    Damage("a header that is a list", "[1,2]", "JSON"),
    Damage("a header of endless brackets", String(repeating: "[", count: 200_000), "JSON"),
    Damage("a header with something behind it", "{\(good)}}", data: 8, "JSON"),
    Damage("an unknown type", "{\(entry("a", "F33", "[2]", 0, 8))}", data: 8, tensor: "a", "F33"),
    Damage("a type that is a number", "{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", data: 8, tensor: "a", "dtype"),
    Damage("no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", data: 8, tensor: "a", "shape"),
    Damage("no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", data: 8, tensor: "a", "offsets"),
    Damage("a negative extent", "{\(entry("a", "F32", "[-2]", 0, 8))}", data: 8, tensor: "a", "shape"),
    Damage("two negative extents", "{\(entry("a", "F32", "[-2,-1]", 0, 8))}", data: 8, tensor: "a", "shape"),
    Damage("half an element", "{\(entry("a", "F32", "[2.5]", 0, 8))}", data: 8, tensor: "a", "shape"),
    Damage("an extent beyond Int", "{\(entry("a", "F32", "[1e30]", 0, 8))}", data: 8, tensor: "a", "shape"),
    Damage("a count that overflows", "{\(entry("a", "F32", "[4294967296,4294967296]", 0, 0))}", tensor: "a", "shape"),
    Damage("a size that overflows", "{\(entry("a", "F32", "[4611686018427387904]", 0, 0))}", tensor: "a", "shape"),
    Damage("one offset", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", data: 8, tensor: "a", "offsets"),
    Damage("offsets in the wrong order", "{\(entry("a", "F32", "[2]", 8, 0))}", data: 8, tensor: "a", "offsets"),
    Damage("a negative offset", "{\(entry("a", "F32", "[2]", -8, 0))}", data: 8, tensor: "a", "offsets"),
    Damage("offsets that overflow", "{\(entry("a", "F32", "[2]", .max - 7, .max))}", data: 8, tensor: "a", "bytes"),
    Damage("fewer bytes than the shape takes", "{\(entry("a", "F32", "[3]", 0, 8))}", data: 8, tensor: "a", "takes 12"),
    Damage("a tensor behind the end", "{\(entry("a", "F32", "[2]", 0, 8))}", data: 7, tensor: "a", "1 bytes behind"),
    Damage("overlapping tensors", "{\(good),\(entry("b", "F32", "[2]", 4, 12))}", data: 12, tensor: "b", "overlaps"),
    Damage("two tensors in one place", "{\(good),\(entry("b", "F32", "[2]", 0, 8))}", data: 8, tensor: "b", "overlaps"),
    Damage("a gap", "{\(good),\(entry("b", "F32", "[2]", 12, 20))}", data: 20, tensor: "b", "4 bytes before"),
    Damage("a gap at the beginning", "{\(entry("a", "F32", "[2]", 1, 9))}", data: 9, tensor: "a", "1 bytes before"),
    Damage("bytes after the last tensor", "{\(good)}", data: 11, "3 bytes after"),
    Damage("two tensors of one name", "{\(good),\(entry("a", "F32", "[2]", 8, 16))}", data: 16, tensor: "a", "same name"),
    Damage("two equal tensors", "{\(good),\(good)}", data: 8, tensor: "a", "same name"),
    Damage("two writings of one name", "{\(good),\(entry("\\u0061", "F32", "[2]", 0, 8))}", data: 8, tensor: "a", "same name"),
    Damage("metadata of numbers", "{\"__metadata__\":{\"a\":1},\(good)}", data: 8, tensor: "__metadata__", ""),
  ]
}

@Suite("Damaged safetensors files")
struct DamageTests {
  private let folder = TemporaryFolder()

  @Test("A damaged file is refused with an error that says what is wrong", arguments: Damage.all)
  func damage(_ damage: Damage) throws {
    let path = folder.write(damage.file)
    let error = try #require(failure(opening: path))
    #expect(error.kind == .malformed)
    #expect(error.path == path)
    #expect(error.tensor == damage.tensor)
    #expect(error.reason.contains(damage.word), "\(error)")
  }

  @Test("A file that is not there or cannot be read is told from a damaged one")
  func unreadable() {
    #expect(failure(opening: folder.path + "/none.safetensors")?.kind == .notFound)
    #expect(failure(opening: folder.write([1]) + "/none.safetensors")?.kind == .notFound)
    #expect(failure(opening: folder.path)?.kind == .unreadable)
    #expect(failure(opening: folder.write([]))?.kind == .malformed)
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(failure(opening: pipe)?.kind == .unreadable)
  }

  private static let sound = safetensors(
    "{\"__metadata__\":{\"k\":\"v\"},\(entry("a", "F16", "[2,2]", 0, 8)),\(entry("b", "F32", "[3]", 8, 20)),\(entry("c", "I8", "[]", 20, 21))}",
    data: Array(repeating: 0x3c, count: 21))

  @Test("A file cut off at any byte is refused")
  func truncation() {
    #expect(failure(opening: folder.write(Self.sound)) == nil)
    for count in Self.sound.indices {
      #expect(failure(opening: folder.write(Array(Self.sound[..<count])))?.kind == .malformed, "\(count) bytes")
    }
  }

  @Test("With any bit flipped a file is refused, or its tensors lie within it")
  func flippedBits() {
    for index in Self.sound.indices {
      for bit in 0..<8 {
        var bytes = Self.sound
        bytes[index] ^= 1 << UInt8(bit)
        expectSafe(bytes)
      }
    }
  }

  @Test("With random bytes changed, inserted or removed a file is refused, or its tensors lie within it")
  func randomDamage() {
    var random = Seeded(state: 1)
    let alphabet = Array("{}[]\":,0123456789eE.-\\u \u{0}\u{7f}".utf8) + [0x80, 0xff]
    for _ in 0..<5000 {
      var bytes = Self.sound
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        let byte = alphabet.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.insert(byte, at: index)
        case 1: bytes.remove(at: index)
        case 2: bytes[index] = UInt8.random(in: 0...255, using: &random)
        default: bytes[index] = byte
        }
      }
      expectSafe(bytes)
    }
  }

  /// Reads whatever can be read.
  private func expectSafe(_ bytes: [UInt8]) {
    let path = folder.write(bytes)
    do throws(WeightsError) {
      let file = try SafetensorsFile(path: path)
      var size = 0
      for name in file.names {
        guard let view = file[name] else { continue }
        _ = try view.floats()
        size += view.byteCount
      }
      #expect(size < bytes.count)
    } catch {
      #expect(error.kind == .malformed)
    }
  }
}

@Suite("Configurations")
struct ConfigurationTests {
  private struct Model: Decodable, Equatable {
    var width: Int
  }
  private let folder = TemporaryFolder()

  @Test("A configuration is read, whatever else it has")
  func reading() throws {
    let path = folder.write(Array("{\"width\":3,\"more\":[1]}".utf8), name: "config.json")
    #expect(try ConfigurationFile.read(Model.self, path: path) == Model(width: 3))
  }

  @Test("Members that are null or not there are nil, whole numbers may have a point, and types that read themselves may look first")
  func types() throws {
    struct All: Decodable, Equatable {
      enum Either: Decodable, Equatable {
        case list([Int]), table([String: Int])
        init(from decoder: any Decoder) throws {
          if (try? decoder.unkeyedContainer()) != nil {
            self = .list(try decoder.singleValueContainer().decode([Int].self))
          } else {
            self = .table(try decoder.singleValueContainer().decode([String: Int].self))
          }
        }
      }
      var whole: Int
      var small: UInt8
      var rate: Double
      var share: Float
      var none: Int?
      var null: Int?
      var names: [String?]
      var either: [Either]
    }
    let text = """
      {"whole": 3.0, "small": 255, "rate": 2, "share": 0.5, "null": null, "names": ["a", null], "either": [[1, 2], {"b": 3}], "is": true}
      """
    let path = folder.write(Array(text.utf8), name: "config.json")
    let expected = All(
      whole: 3, small: 255, rate: 2, share: 0.5, none: nil, null: nil, names: ["a", nil], either: [.list([1, 2]), .table(["b": 3])])
    #expect(try ConfigurationFile.read(All.self, path: path) == expected)
  }

  @Test(
    "An error says which field of which is wrong",
    arguments: [
      ("{\"inner\": [{\"width\": 1}, {\"width\": \"2\"}]}", "\"inner.1.width\" is of another type"),
      ("{\"inner\": [{\"width\": 1.5}]}", "\"inner.0.width\" is of another type"),
      ("{\"inner\": [{\"width\": 99999999999999999999}]}", "\"inner.0.width\" is of another type"),
      ("{\"inner\": [{\"width\": null}]}", "\"inner.0.width\" is of another type"),
      ("{\"inner\": [{}]}", "it has no \"width\""), ("{\"inner\": {}}", "\"inner\" is of another type"),
      ("{\"inner\": [], \"inner\": []}", "has \"inner\" twice"),
    ])
  func clauses(text: String, words: String) {
    struct Outer: Decodable { var inner: [Model] }
    let path = folder.write(Array(text.utf8), name: "config.json")
    let error = #expect(throws: WeightsError.self) { try ConfigurationFile.read(Outer.self, path: path) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test(
    "A configuration that lacks a field, or has it of another type, or is no JSON is refused with its path",
    arguments: ["{\"height\":3}", "{\"width\":\"3\"}", "{\"width\":null}", "{\"width\":3", "[3]", " "])
  func damage(text: String) {
    let path = folder.write(Array(text.utf8), name: "config.json")
    let error = #expect(throws: WeightsError.self) { try ConfigurationFile.read(Model.self, path: path) }
    #expect(error?.kind == .malformed)
    #expect(error?.path == path)
  }
}
