/// Swift's `Decodable` over a ``JSONValue``: what types say of themselves is read without Foundation.
///
/// Whole numbers may be written as `3` or `3.0`. A member that is null is as one that is not there for optionals, and an error
/// for all else. Costs a copy of each string, and time in proportion to the text.
struct JSONDecoding: Decoder {
  let value: JSONValue
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  static func decode<Value: Decodable>(_: Value.Type = Value.self, from value: JSONValue) throws -> Value {
    try JSONDecoding(value: value, codingPath: []).decode()
  }

  func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = value else { throw mismatch([String: Any].self) }
    let values = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    return KeyedDecodingContainer(JSONMembers(values: values, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else { throw mismatch([Any].self) }
    return JSONElements(elements: elements, codingPath: codingPath)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  fileprivate func decode<Value: Decodable>() throws -> Value { try Value(from: self) }

  fileprivate func scalar<Value: JSONScalar>() throws -> Value {
    guard let result = Value(json: value) else { throw mismatch(Value.self) }
    return result
  }

  private func mismatch(_ type: Any.Type) -> DecodingError {
    let context = DecodingError.Context(codingPath: codingPath, debugDescription: "is of another type")
    if case .null = value { return .valueNotFound(type, context) }
    return .typeMismatch(type, context)
  }
}

extension JSONDecoding: SingleValueDecodingContainer {
  func decodeNil() -> Bool { if case .null = value { true } else { false } }
  func decode<Value: Decodable>(_: Value.Type) throws -> Value { try decode() }
  func decode(_: Bool.Type) throws -> Bool { try scalar() }
  func decode(_: String.Type) throws -> String { try scalar() }
  func decode(_: Double.Type) throws -> Double { try scalar() }
  func decode(_: Float.Type) throws -> Float { try scalar() }
  func decode(_: Int.Type) throws -> Int { try scalar() }
  func decode(_: Int8.Type) throws -> Int8 { try scalar() }
  func decode(_: Int16.Type) throws -> Int16 { try scalar() }
  func decode(_: Int32.Type) throws -> Int32 { try scalar() }
  func decode(_: Int64.Type) throws -> Int64 { try scalar() }
  func decode(_: UInt.Type) throws -> UInt { try scalar() }
  func decode(_: UInt8.Type) throws -> UInt8 { try scalar() }
  func decode(_: UInt16.Type) throws -> UInt16 { try scalar() }
  func decode(_: UInt32.Type) throws -> UInt32 { try scalar() }
  func decode(_: UInt64.Type) throws -> UInt64 { try scalar() }
}

/// The members of an object.
private struct JSONMembers<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let values: [String: JSONValue]
  let codingPath: [any CodingKey]

  var allKeys: [Key] { values.keys.compactMap { Key(stringValue: $0) } }

  func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }

  private func member(_ key: Key) throws -> JSONDecoding {
    guard let value = values[key.stringValue] else {
      throw DecodingError.keyNotFound(key, DecodingError.Context(codingPath: codingPath, debugDescription: "is not there"))
    }
    return JSONDecoding(value: value, codingPath: codingPath + [key])
  }

  func decodeNil(forKey key: Key) throws -> Bool { try member(key).decodeNil() }
  func decode<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value { try member(key).decode() }
  func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try member(key).scalar() }
  func decode(_: String.Type, forKey key: Key) throws -> String { try member(key).scalar() }
  func decode(_: Double.Type, forKey key: Key) throws -> Double { try member(key).scalar() }
  func decode(_: Float.Type, forKey key: Key) throws -> Float { try member(key).scalar() }
  func decode(_: Int.Type, forKey key: Key) throws -> Int { try member(key).scalar() }
  func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { try member(key).scalar() }
  func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { try member(key).scalar() }
  func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { try member(key).scalar() }
  func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try member(key).scalar() }
  func decode(_: UInt.Type, forKey key: Key) throws -> UInt { try member(key).scalar() }
  func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { try member(key).scalar() }
  func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { try member(key).scalar() }
  func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { try member(key).scalar() }
  func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { try member(key).scalar() }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try member(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try member(key).unkeyedContainer() }
  // No type that is read has a superclass.
  func superDecoder() throws -> any Decoder { JSONDecoding(value: .null, codingPath: codingPath) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}

/// The elements of an array, one after the other.
private struct JSONElements: UnkeyedDecodingContainer {
  let elements: [JSONValue]
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  init(elements: [JSONValue], codingPath: [any CodingKey]) {
    self.elements = elements
    self.codingPath = codingPath
  }

  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private struct Index: CodingKey {
    var intValue: Int?
    var stringValue: String { "\(intValue ?? 0)" }
    init(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { return nil }
  }

  private func element() throws -> JSONDecoding {
    let path = codingPath + [Index(intValue: currentIndex)]
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(Any.self, DecodingError.Context(codingPath: path, debugDescription: "is not there"))
    }
    return JSONDecoding(value: elements[currentIndex], codingPath: path)
  }

  /// The next element, which is passed only if it can be read.
  private mutating func next<Value>(_ read: (JSONDecoding) throws -> Value) throws -> Value {
    let result = try read(try element())
    currentIndex += 1
    return result
  }

  mutating func decodeNil() throws -> Bool {
    let isNull = try element().decodeNil()
    if isNull { currentIndex += 1 }
    return isNull
  }
  mutating func decode<Value: Decodable>(_: Value.Type) throws -> Value { try next { try $0.decode() } }
  mutating func decode(_: Bool.Type) throws -> Bool { try next { try $0.scalar() } }
  mutating func decode(_: String.Type) throws -> String { try next { try $0.scalar() } }
  mutating func decode(_: Double.Type) throws -> Double { try next { try $0.scalar() } }
  mutating func decode(_: Float.Type) throws -> Float { try next { try $0.scalar() } }
  mutating func decode(_: Int.Type) throws -> Int { try next { try $0.scalar() } }
  mutating func decode(_: Int8.Type) throws -> Int8 { try next { try $0.scalar() } }
  mutating func decode(_: Int16.Type) throws -> Int16 { try next { try $0.scalar() } }
  mutating func decode(_: Int32.Type) throws -> Int32 { try next { try $0.scalar() } }
  mutating func decode(_: Int64.Type) throws -> Int64 { try next { try $0.scalar() } }
  mutating func decode(_: UInt.Type) throws -> UInt { try next { try $0.scalar() } }
  mutating func decode(_: UInt8.Type) throws -> UInt8 { try next { try $0.scalar() } }
  mutating func decode(_: UInt16.Type) throws -> UInt16 { try next { try $0.scalar() } }
  mutating func decode(_: UInt32.Type) throws -> UInt32 { try next { try $0.scalar() } }
  mutating func decode(_: UInt64.Type) throws -> UInt64 { try next { try $0.scalar() } }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try next { try $0.container(keyedBy: type) }
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next { try $0.unkeyedContainer() } }
  mutating func superDecoder() throws -> any Decoder { try next { $0 } }
}

/// What a JSON value is by itself.
private protocol JSONScalar {
  /// nil if the value is of another type, or does not fit.
  init?(json: JSONValue)
}

extension Bool: JSONScalar {
  fileprivate init?(json: JSONValue) {
    guard case .boolean(let value) = json else { return nil }
    self = value
  }
}

extension String: JSONScalar {
  fileprivate init?(json: JSONValue) {
    guard case .string(let value) = json else { return nil }
    self = value
  }
}

extension JSONScalar where Self: BinaryFloatingPoint {
  fileprivate init?(json: JSONValue) {
    switch json {
    case .integer(let value): self = Self(value)
    case .number(let value):
      self = Self(value)
      if !isFinite { return nil }
    default: return nil
    }
  }
}

extension JSONScalar where Self: FixedWidthInteger {
  fileprivate init?(json: JSONValue) {
    switch json {
    case .integer(let value): self.init(exactly: value)
    case .number(let value): self.init(exactly: value)
    default: return nil
    }
  }
}

extension Double: JSONScalar {}
extension Float: JSONScalar {}
extension Int: JSONScalar {}
extension Int8: JSONScalar {}
extension Int16: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension UInt: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}
