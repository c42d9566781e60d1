/// A JSON text as a value, for small files.
package enum JSONValue: Sendable {
  case null
  case boolean(Bool)
  /// Written without fraction and exponent, and within 64 bits.
  case integer(Int)
  /// Any other number, such as the 10³⁰ that stands for "no limit" in tokenizers' configurations.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// In the order of the file; no two of one name.
  case object([(name: String, value: JSONValue)])

  /// Values that a text may have, each of which takes up to some hundred bytes: umT5's `tokenizer.json` has 800,000.
  static let most = 2_000_000

  /// - Throws: also for two members of one name and a number beyond float64, at any depth, and for a text of more values than two
  ///   million.
  package init(_ text: UnsafeRawBufferPointer) throws(JSONReader.Fault) {
    var reader = JSONReader(text)
    var left = Self.most
    self = try Self(&reader, &left)
    try reader.end()
  }

  package init(_ text: [UInt8]) throws(JSONReader.Fault) {
    self = try text.withUnsafeBufferPointer { text throws(JSONReader.Fault) in try JSONValue(UnsafeRawBufferPointer(text)) }
  }

  package init(text: String) throws(JSONReader.Fault) { try self.init(Array(text.utf8)) }

  private init(_ reader: inout JSONReader, _ left: inout Int) throws(JSONReader.Fault) {
    guard left > 0 else { throw JSONReader.Fault(reason: "has more than \(Self.most) values") }
    left -= 1
    switch try reader.kind() {
    case .null:
      try reader.null()
      self = .null
    case .boolean: self = .boolean(try reader.boolean())
    case .string: self = .string(try reader.string())
    case .number:
      let text = try reader.numberText()
      if let integer = Int(text) {
        self = .integer(integer)
      } else {
        guard let number = Double(text), number.isFinite else {
          throw JSONReader.Fault(reason: "has a number beyond float64, \(text.prefix(40))")
        }
        self = .number(number)
      }
    case .array:
      var elements: [JSONValue] = []
      try reader.array { reader throws(JSONReader.Fault) in elements.append(try JSONValue(&reader, &left)) }
      self = .array(elements)
    case .object:
      var members: [(name: String, value: JSONValue)] = []
      // By their bytes: to String, two writings of one accented letter are equal, and vocabularies have both.
      var names: Set<[UInt8]> = []
      try reader.object { reader, name throws(JSONReader.Fault) in
        guard names.insert(Array(name.utf8)).inserted else { throw JSONReader.Fault(reason: "has \"\(name)\" twice") }
        members.append((name, try JSONValue(&reader, &left)))
      }
      self = .object(members)
    }
  }
}
