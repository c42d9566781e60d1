/// Reads JSON from memory from front to back, keeping nothing of what it passes over.
///
/// For text from outside: nesting is bounded, so that no text overflows the stack; strings are valid UTF-8; integers fit
/// their type; and who reads an object sees its members in their order, with those of equal names.
/// https://www.rfc-editor.org/rfc/rfc8259
package struct JSONReader {
  /// What is wrong, as a clause such as `is no JSON at byte 7`.
  package struct Fault: Error {
    package var reason: String

    package init(reason: String) { self.reason = reason }
  }

  /// How deep objects and arrays may lie in each other. Model files need 4.
  static let deepest = 64

  private let text: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0

  package init(_ text: UnsafeRawBufferPointer) { self.text = text }

  /// What the next value is, without reading it.
  package enum Kind { case object, array, string, number, boolean, null }

  package mutating func kind() throws(Fault) -> Kind {
    switch try peek() {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
    case UInt8(ascii: "n"): .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
    default: throw fault()
    }
  }

  /// An object; `member` reads the value of each of its members.
  package mutating func object<Failure: Error>(
    _ member: (inout JSONReader, _ name: String) throws(Failure) -> Void, or fail: (Fault) -> Failure
  ) throws(Failure) {
    do throws(Fault) { try open(UInt8(ascii: "{")) } catch { throw fail(error) }
    var isFirst = true
    while true {
      let name: String?
      do throws(Fault) { name = try nextName(isFirst) } catch { throw fail(error) }
      guard let name else { return }
      try member(&self, name)
      isFirst = false
    }
  }

  package mutating func object(_ member: (inout JSONReader, _ name: String) throws(Fault) -> Void) throws(Fault) {
    try object(member, or: { $0 })
  }

  /// An array; `element` reads each of its elements.
  package mutating func array(_ element: (inout JSONReader) throws(Fault) -> Void) throws(Fault) {
    try open(UInt8(ascii: "["))
    var isFirst = true
    while try !closes(UInt8(ascii: "]"), isFirst) {
      try element(&self)
      isFirst = false
    }
  }

  /// Passes over one value of any kind.
  package mutating func skip() throws(Fault) {
    switch try kind() {
    case .object: try object { reader, _ throws(Fault) in try reader.skip() }
    case .array: try array { reader throws(Fault) in try reader.skip() }
    case .string: _ = try string()
    case .number: _ = try numberText()
    case .boolean: _ = try boolean()
    case .null: try null()
    }
  }

  package mutating func boolean() throws(Fault) -> Bool {
    if try peek() == UInt8(ascii: "t") {
      try expect("true")
      return true
    }
    try expect("false")
    return false
  }

  package mutating func null() throws(Fault) {
    _ = try peek()
    try expect("null")
  }

  /// A number without fraction and exponent that fits `Int`.
  package mutating func integer() throws(Fault) -> Int {
    let start = position
    guard let integer = Int(try numberText()) else { throw Fault(reason: "has no 64-bit integer at byte \(start)") }
    return integer
  }

  /// The characters of a number, as they are written.
  package mutating func numberText() throws(Fault) -> String {
    _ = try peek()
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  package mutating func string() throws(Fault) -> String {
    guard try peek() == UInt8(ascii: "\"") else { throw fault() }
    let start = position + 1
    position = start
    while let byte = byte(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    guard byte() == UInt8(ascii: "\\") else {
      guard let string = String(validating: text[start..<position], as: UTF8.self), take(UInt8(ascii: "\"")) else { throw fault() }
      return string
    }
    var characters = Array(text[start..<position])
    while let byte = byte(), byte >= 0x20 {
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard let string = String(validating: characters, as: UTF8.self) else { throw fault() }
        return string
      }
      if byte == UInt8(ascii: "\\") { characters += String(try escaped()).utf8 } else { characters.append(byte) }
    }
    throw fault()
  }

  /// Nothing but spaces is left.
  package mutating func end() throws(Fault) {
    passSpaces()
    guard position == text.count else { throw fault() }
  }

  // MARK: Parts

  private func byte() -> UInt8? { position < text.count ? text[position] : nil }

  private func fault() -> Fault { Fault(reason: "is no JSON at byte \(position)") }

  private mutating func take(_ wanted: UInt8) -> Bool {
    guard byte() == wanted else { return false }
    position += 1
    return true
  }

  private mutating func passSpaces() {
    while let byte = byte(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func peek() throws(Fault) -> UInt8 {
    passSpaces()
    guard let byte = byte() else { throw fault() }
    return byte
  }

  private mutating func expect(_ word: StaticString) throws(Fault) {
    for index in 0..<word.utf8CodeUnitCount {
      guard take(word.utf8Start[index]) else { throw fault() }
    }
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while let byte = byte(), UInt8(ascii: "0") <= byte, byte <= UInt8(ascii: "9") { position += 1 }
    guard position > start else { throw fault() }
  }

  private mutating func open(_ bracket: UInt8) throws(Fault) {
    guard try peek() == bracket else { throw fault() }
    guard depth < Self.deepest else { throw Fault(reason: "nests deeper than \(Self.deepest) levels") }
    depth += 1
    position += 1
  }

  /// Passes the comma before the next element, or the bracket after the last.
  private mutating func closes(_ bracket: UInt8, _ isFirst: Bool) throws(Fault) -> Bool {
    if try peek() == bracket {
      position += 1
      depth -= 1
      return true
    }
    if !isFirst {
      guard take(UInt8(ascii: ",")) else { throw fault() }
    }
    return false
  }

  private mutating func nextName(_ isFirst: Bool) throws(Fault) -> String? {
    if try closes(UInt8(ascii: "}"), isFirst) { return nil }
    let name = try string()
    guard try peek() == UInt8(ascii: ":") else { throw fault() }
    position += 1
    return name
  }

  /// What stands behind a backslash.
  private mutating func escaped() throws(Fault) -> Unicode.Scalar {
    guard let byte = byte() else { throw fault() }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // Two halves of one character; half a character is none.
      guard UTF16.isLeadSurrogate(unit), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fault() }
      let trail = try codeUnit()
      guard UTF16.isTrailSurrogate(trail) else { throw fault() }
      return Unicode.Scalar(0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(trail & 0x3ff))) ?? "\u{fffd}"
    default: throw fault()
    }
  }

  private mutating func codeUnit() throws(Fault) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = byte() else { throw fault() }
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
      default: throw fault()
      }
      position += 1
    }
    return unit
  }
}
