import Tensors

/// The fields of a `config.json`, each read with its default and its range in one line.
///
/// ```swift
/// let fields = try ConfigurationFields(path: "transformer/config.json")
/// heads = try fields.integer("num_attention_heads", default: 30, in: 1...512)
/// patchTime = try fields.optionalInteger("patch_size_t", in: 1...16)
/// bias = try fields.boolean("attention_bias", default: true)
/// ```
///
/// A field that is absent has its default, as in diffusers; so has one that is null, unless it is read as optional. A
/// field of another type or out of range is a `WeightsError` that names file, field and what was expected. Fields that
/// nobody asks for are ignored.
public struct ConfigurationFields: Sendable {
  /// The file that errors name.
  public let path: String
  private let fields: [String: JSONValue]

  /// - Throws: the file is missing, larger than 4 MiB, or no JSON object, or has a field twice.
  public init(path: String) throws(WeightsError) {
    guard case .object(let members) = try ConfigurationFile.value(path: path) else {
      throw WeightsError(.malformed, path: path, "is no JSON object of fields")
    }
    self.init(path: path, members)
  }

  init(path: String, _ members: [(name: String, value: JSONValue)]) {
    self.path = path
    fields = Dictionary(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// All fields' names, sorted.
  public var names: [String] { fields.keys.sorted() }

  /// - Parameter known: what `_class_name` may be.
  /// - Throws: also if the field is absent.
  @discardableResult
  public func className(_ known: [String]) throws(WeightsError) -> String { try choice("_class_name", known) }

  /// One of a few words.
  ///
  /// - Parameter default: what an absent field is; nil if it must be there.
  public func choice(_ field: String, _ known: [String], default fallback: String? = nil) throws(WeightsError) -> String {
    guard let value = value(field) else {
      guard let fallback else { throw error(field, "is absent, not \(Self.list(known))") }
      return fallback
    }
    guard case .string(let word) = value, known.contains(word) else {
      throw error(field, "is \(Self.text(value)), not \(Self.list(known))")
    }
    return word
  }

  /// Any text; nil if the field is absent or null.
  public func optionalText(_ field: String) throws(WeightsError) -> String? {
    guard let value = value(field) else { return nil }
    guard case .string(let text) = value else { throw error(field, "is \(Self.text(value)), not a text") }
    return text
  }

  /// An integer, written without fraction. The default must be in the range too.
  public func integer(_ field: String, default fallback: Int, in range: ClosedRange<Int>) throws(WeightsError) -> Int {
    if let integer = try optionalInteger(field, in: range) { return integer }
    return try require(field, fallback, in: range)
  }

  /// nil if the field is absent or null.
  public func optionalInteger(_ field: String, in range: ClosedRange<Int>) throws(WeightsError) -> Int? {
    guard let value = value(field) else { return nil }
    guard case .integer(let integer) = value else { throw error(field, "is \(Self.text(value)), not an integer") }
    return try require(field, integer, in: range)
  }

  /// A list of integers, such as channel counts of blocks.
  ///
  /// - Parameters:
  ///   - range: of each.
  ///   - count: how many there may be.
  public func integers(
    _ field: String, default fallback: [Int], in range: ClosedRange<Int>, count: ClosedRange<Int>
  ) throws(WeightsError) -> [Int] {
    guard let value = value(field) else { return fallback }
    guard case .array(let elements) = value else { throw error(field, "is \(Self.text(value)), not a list of integers") }
    try require(field + ".count", elements.count, in: count)
    var integers: [Int] = []
    for (index, element) in elements.enumerated() {
      guard case .integer(let integer) = element else { throw error("\(field)[\(index)]", "is \(Self.text(element)), not an integer") }
      integers.append(try require("\(field)[\(index)]", integer, in: range))
    }
    return integers
  }

  /// A list of words, such as the types of blocks.
  public func words(
    _ field: String, default fallback: [String], known: [String], count: ClosedRange<Int>
  ) throws(WeightsError) -> [String] {
    guard let value = value(field) else { return fallback }
    guard case .array(let elements) = value else { throw error(field, "is \(Self.text(value)), not a list of words") }
    try require(field + ".count", elements.count, in: count)
    var words: [String] = []
    for (index, element) in elements.enumerated() {
      guard case .string(let word) = element, known.contains(word) else {
        throw error("\(field)[\(index)]", "is \(Self.text(element)), not \(Self.list(known))")
      }
      words.append(word)
    }
    return words
  }

  /// A number, written with or without fraction.
  public func number(_ field: String, default fallback: Double, in range: ClosedRange<Double>) throws(WeightsError) -> Double {
    if let number = try optionalNumber(field, in: range) { return number }
    return try require(field, fallback, in: range)
  }

  /// nil if the field is absent or null.
  public func optionalNumber(_ field: String, in range: ClosedRange<Double>) throws(WeightsError) -> Double? {
    switch value(field) {
    case nil: return nil
    case .integer(let integer): return try require(field, Double(integer), in: range)
    case .number(let number): return try require(field, number, in: range)
    case .some(let value): throw error(field, "is \(Self.text(value)), not a number")
    }
  }

  /// A list of numbers, such as a latent space's means.
  ///
  /// - Parameter range: of each.
  /// - Returns: nil if the field is absent or null.
  public func optionalNumbers(
    _ field: String, in range: ClosedRange<Double>, count: ClosedRange<Int>
  ) throws(WeightsError) -> [Double]? {
    guard let value = value(field) else { return nil }
    guard case .array(let elements) = value else { throw error(field, "is \(Self.text(value)), not a list of numbers") }
    try require(field + ".count", elements.count, in: count)
    var numbers: [Double] = []
    for (index, element) in elements.enumerated() {
      switch element {
      case .integer(let integer): numbers.append(try require("\(field)[\(index)]", Double(integer), in: range))
      case .number(let number): numbers.append(try require("\(field)[\(index)]", number, in: range))
      default: throw error("\(field)[\(index)]", "is \(Self.text(element)), not a number")
      }
    }
    return numbers
  }

  /// `true` or `false`; numbers and texts are errors.
  public func boolean(_ field: String, default fallback: Bool) throws(WeightsError) -> Bool {
    guard let value = value(field) else { return fallback }
    guard case .boolean(let boolean) = value else { throw error(field, "is \(Self.text(value)), not true or false") }
    return boolean
  }

  /// Checks what follows from several fields, such as a width that must be a multiple of the heads.
  ///
  /// - Returns: the value.
  @discardableResult
  public func require<Value: Comparable>(_ field: String, _ value: Value, in range: ClosedRange<Value>) throws(WeightsError) -> Value {
    guard range.contains(value) else {
      let isOne = range.lowerBound == range.upperBound
      throw error(field, "is \(value), not " + (isOne ? "\(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"))
    }
    return value
  }

  /// An error about a field, for checks that no range expresses.
  ///
  /// - Parameter reason: a clause such as `is 3, not a multiple of 2`; its subject is the field.
  public func error(_ field: String, _ reason: String) -> WeightsError {
    WeightsError(.malformed, path: path, "has a field that cannot be used: \"\(field)\" \(reason)")
  }

  /// nil for null.
  private func value(_ field: String) -> JSONValue? {
    guard let value = fields[field] else { return nil }
    if case .null = value { return nil }
    return value
  }

  static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .boolean(let boolean): "\(boolean)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .string(let string): "\"\(string.prefix(60))\""
    case .array: "a list"
    case .object: "an object"
    }
  }

  private static func list(_ known: [String]) -> String { known.map { "\"\($0)\"" }.joined(separator: " or ") }
}
