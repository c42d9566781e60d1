import Tensors
import Testing

@Suite("JSON")
struct JSONTests {
  private func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .boolean(let boolean): "\(boolean)"
    case .integer(let integer): "i\(integer)"
    case .number(let number): "n\(number)"
    case .string(let string): "<\(string)>"
    case .array(let elements): "[\(elements.map(text).joined(separator: " "))]"
    case .object(let members): "{\(members.map { "\($0.name)=\(text($0.value))" }.joined(separator: " "))}"
    }
  }

  @Test(
    "Values are read as they are written, members in their order",
    arguments: [
      ("null", "null"), (" [ true , false ]\n", "[true false]"), ("{}", "{}"), ("[]", "[]"),
      ("{\"b\":1,\"a\":[-2,3.5,1e3,-1E-2,0,-0,0.0]}", "{b=i1 a=[i-2 n3.5 n1000.0 n-0.01 i0 i0 n0.0]}"),
      (
        "[9223372036854775807,-9223372036854775808,9223372036854775808]",
        "[i9223372036854775807 i-9223372036854775808 n9.223372036854776e+18]"
      ),
      ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\uD83D\\ude00é\u{7f}\"", "<a\"\\/\u{8}\u{c}\n\r\tAé😀é\u{7f}>"),
      ("\"\\u0000\"", "<\u{0}>"), ("\"\"", "<>"),
      ("{\"é\":1,\"e\u{301}\":2}", "{é=i1 e\u{301}=i2}"),
    ])
  func values(json: String, expected: String) throws {
    #expect(try text(JSONValue(text: json)) == expected)
  }

  @Test(
    "What RFC 8259 does not allow is refused, and so are two members of one name",
    arguments: [
      "", " ", "[", "]", "{", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "[1}",
      "{\"a\":1]", "1 2", "01", "-", "+1",
      "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nulL", "True", "'a'", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"",
      "\"\\u12g4\"", "\"\\uD800\"",
      "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\\uD800\\n\"", "\"\n\"", "\"\u{0}\"", "1e999", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
      "/*a*/1", "\u{feff}1",
    ])
  func refusals(json: String) {
    #expect(throws: JSONReader.Fault.self) { try JSONValue(text: json) }
  }

  @Test("Bytes that are no UTF-8 are refused in strings that are read and in those that are passed over")
  func invalidUnicode() {
    for bytes: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80]] {
      let text = [0x22] + bytes + [0x22]
      text.withUnsafeBytes { text in
        #expect(throws: JSONReader.Fault.self) { try JSONValue(text) }
        #expect(throws: JSONReader.Fault.self) {
          var reader = JSONReader(text)
          try reader.skip()
        }
      }
    }
  }

  @Test("64 levels are read, 65 are not, however they are read")
  func depth() throws {
    for (levels, isRead) in [(64, true), (65, false), (1_000_000, false)] {
      let text = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
      #expect(((try? JSONValue(text: text)) != nil) == isRead)
      let objects = String(repeating: "{\"\":", count: levels) + "1" + String(repeating: "}", count: levels)
      let skipped = Array(objects.utf8).withUnsafeBytes { bytes in
        var reader = JSONReader(bytes)
        return (try? reader.skip()) != nil
      }
      #expect(skipped == isRead)
    }
  }
}
