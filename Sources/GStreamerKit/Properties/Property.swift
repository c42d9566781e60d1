import CGStreamer
import Timing

/// When a property may be changed, as `gst-inspect-1.0` states it.
///
/// A promise to users, which nothing enforces: a setting counts from the next callback on, whenever it is set.
public enum Mutability: Sendable {
  case ready, paused, playing

  var flags: Int32 {
    switch self {
    case .ready: 1 << 10
    case .paused: 1 << 11
    case .playing: 1 << 12
    }
  }
}

/// A Swift enumeration that is a property's type: `case merge` has the nick `merge`.
///
/// ```swift
/// enum Filter: String, PropertyEnumeration {
///   case merge, suppress
///   static let typeName = "GstShotFilter"
///   var blurb: String { … }
/// }
/// ```
public protocol PropertyEnumeration: RawRepresentable<String>, CaseIterable, Sendable where AllCases: RandomAccessCollection {
  /// GType name, unique in the process.
  static var typeName: String { get }
  /// What `gst-inspect-1.0` says of the value.
  var blurb: String { get }
}

extension PropertyEnumeration {
  /// The registered set of flags: the bit of a case is 1 shifted by its position in `allCases`.
  static var flagsType: GType {
    let known = g_type_from_name(typeName)
    if known != 0 { return known }
    let table = UnsafeMutablePointer<GFlagsValue>.allocate(capacity: allCases.count + 1)
    for (index, value) in allCases.enumerated() {
      (table + index).initialize(
        to: GFlagsValue(value: 1 << UInt32(index), value_name: g_strdup(value.blurb), value_nick: g_strdup(value.rawValue)))
    }
    (table + allCases.count).initialize(to: GFlagsValue())
    return g_flags_register_static(typeName, table)
  }

  static func flags(_ cases: Set<String>) -> Value {
    var bits: UInt32 = 0
    for (index, value) in allCases.enumerated() where cases.contains(value.rawValue) { bits |= 1 << UInt32(index) }
    return .flags(flagsType, bits)
  }

  /// The registered type; its values are the positions in `allCases`.
  static var type: GType {
    let known = g_type_from_name(typeName)
    if known != 0 { return known }
    // GObject keeps the table and its strings for as long as the process lives.
    let table = UnsafeMutablePointer<GEnumValue>.allocate(capacity: allCases.count + 1)
    for (index, value) in allCases.enumerated() {
      (table + index).initialize(
        to: GEnumValue(value: Int32(index), value_name: g_strdup(value.blurb), value_nick: g_strdup(value.rawValue)))
    }
    (table + allCases.count).initialize(to: GEnumValue())
    return g_enum_register_static(typeName, table)
  }

  var value: Value {
    .enumeration(Self.type, Int32(allCasesIndex))
  }

  private var allCasesIndex: Int {
    Self.allCases.enumerated().first { $0.element.rawValue == rawValue }?.offset ?? 0
  }

  init?(_ value: Value) {
    guard case .enumeration(_, let number) = value, number >= 0, Int(number) < Self.allCases.count else { return nil }
    self = Self.allCases[Self.allCases.index(Self.allCases.startIndex, offsetBy: Int(number))]
  }
}

/// A property's fraction, such as 30000/1001.
public struct Rate: Hashable, Sendable {
  /// Frames in ``denominator`` seconds.
  public var numerator: Int32
  /// Seconds.
  public var denominator: Int32

  /// Both above 0: anything else is read back as nil by `optionalRate`.
  public init(numerator: Int32, denominator: Int32) {
    self.numerator = numerator
    self.denominator = denominator
  }
}

/// One row of an element's property table.
///
/// The table is what users read in `gst-inspect-1.0`, what GObject checks values against, and how `Settings` is filled.
/// Defaults are those of `Settings()` and lie in the range. Names are kebab-case. A row whose key path leads into `Readings` is read-only.
public struct Property<E: Element>: Sendable {
  enum Kind: Sendable {
    case bool
    case int(ClosedRange<Int32>), uint(ClosedRange<UInt32>), int64(ClosedRange<Int64>), uint64(ClosedRange<UInt64>)
    case double(ClosedRange<Double>)
    case string, fileName, strings, fraction
    case enumeration(@Sendable () -> GType), flags(@Sendable () -> GType)
  }

  let name: String
  let blurb: String
  let kind: Kind
  let mutability: Mutability?
  let get: @Sendable (E.Settings, E.Readings) -> Value
  /// Leaves the settings as they are if the value has another type.
  let set: @Sendable (inout E.Settings, Value) -> Void

  private init<T>(
    _ name: String, _ path: WritableKeyPath<E.Settings, T> & Sendable, _ blurb: String, _ kind: Kind, _ mutability: Mutability,
    wrap: @escaping @Sendable (T) -> Value, unwrap: @escaping @Sendable (Value) -> T?
  ) {
    self.name = name
    self.blurb = blurb
    self.kind = kind
    self.mutability = mutability
    get = { settings, _ in wrap(settings[keyPath: path]) }
    set = { settings, value in if let value = unwrap(value) { settings[keyPath: path] = value } }
  }

  private init(reading name: String, _ blurb: String, _ kind: Kind, _ get: @escaping @Sendable (E.Readings) -> Value) {
    self.name = name
    self.blurb = blurb
    self.kind = kind
    mutability = nil
    self.get = { _, readings in get(readings) }
    set = { _, _ in }
  }

  /// A switch.
  public static func bool(
    _ name: String, _ path: WritableKeyPath<E.Settings, Bool> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .bool, changeable, wrap: { .bool($0) }, unwrap: { $0.bool })
  }

  /// A whole number of 32 bits.
  public static func int(
    _ name: String, _ path: WritableKeyPath<E.Settings, Int32> & Sendable, _ blurb: String, _ range: ClosedRange<Int32>,
    changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .int(range), changeable, wrap: { .int($0) }, unwrap: { $0.int })
  }

  /// A whole number of 32 bits, not negative.
  public static func uint(
    _ name: String, _ path: WritableKeyPath<E.Settings, UInt32> & Sendable, _ blurb: String, _ range: ClosedRange<UInt32>,
    changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .uint(range), changeable, wrap: { .uint($0) }, unwrap: { $0.uint })
  }

  /// A whole number of 64 bits.
  public static func int64(
    _ name: String, _ path: WritableKeyPath<E.Settings, Int64> & Sendable, _ blurb: String, _ range: ClosedRange<Int64>,
    changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .int64(range), changeable, wrap: { .int64($0) }, unwrap: { $0.int64 })
  }

  /// A duration or time in nanoseconds.
  public static func clockTime(
    _ name: String, _ path: WritableKeyPath<E.Settings, ClockTime> & Sendable, _ blurb: String,
    _ range: ClosedRange<ClockTime> = 0...(.max - 1), changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .uint64(range), changeable, wrap: { .uint64($0) }, unwrap: { $0.uint64 })
  }

  /// A number.
  public static func double(
    _ name: String, _ path: WritableKeyPath<E.Settings, Double> & Sendable, _ blurb: String, _ range: ClosedRange<Double>,
    changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .double(range), changeable, wrap: { .double($0) }, unwrap: { $0.double })
  }

  /// A number where -1 means "the element's own choice" and is nil in Swift.
  public static func optionalDouble(
    _ name: String, _ path: WritableKeyPath<E.Settings, Double?> & Sendable, _ blurb: String, upTo limit: Double, changeable: Mutability
  ) -> Self {
    Self(
      name, path, blurb, .double(-1...limit), changeable, wrap: { .double($0 ?? -1) },
      unwrap: { value in value.double.map { $0 < 0 ? nil : $0 } })
  }

  /// A text, or nil: none.
  public static func string(
    _ name: String, _ path: WritableKeyPath<E.Settings, String?> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(
      name, path, blurb, .string, changeable, wrap: { .string($0) },
      unwrap: { value in if case .string(let text) = value { .some(text) } else { nil } })
  }

  /// A name of a file or folder, or nil: none. One that is no UTF-8 is an error when the element starts: it would be
  /// another file's.
  public static func fileName(
    _ name: String, _ path: WritableKeyPath<E.Settings, String?> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(
      name, path, blurb, .fileName, changeable, wrap: { .string($0) },
      unwrap: { value in if case .string(let text) = value { .some(text) } else { nil } })
  }

  /// A rate; 0/1 means "the element's own choice" and is nil in Swift.
  public static func optionalRate(
    _ name: String, _ path: WritableKeyPath<E.Settings, Rate?> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(
      name, path, blurb, .fraction, changeable, wrap: { .fraction($0?.numerator ?? 0, $0?.denominator ?? 1) },
      unwrap: { value in
        guard case .fraction(let numerator, let denominator) = value else { return nil }
        return .some(numerator > 0 && denominator > 0 ? Rate(numerator: numerator, denominator: denominator) : nil)
      })
  }

  /// Texts; `gst-launch-1.0` writes `<one, two>`. Its default is not shown by `gst-inspect-1.0`.
  public static func strings(
    _ name: String, _ path: WritableKeyPath<E.Settings, [String]> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .strings, changeable, wrap: { .strings($0) }, unwrap: { $0.strings })
  }

  /// One of the cases of a Swift enumeration.
  public static func enumeration<T: PropertyEnumeration>(
    _ name: String, _ path: WritableKeyPath<E.Settings, T> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(name, path, blurb, .enumeration({ T.type }), changeable, wrap: { $0.value }, unwrap: { T($0) })
  }

  /// Any of the cases of a Swift enumeration; `gst-launch-1.0` writes `one+two`. At most 32, and the type is used for
  /// flags only.
  public static func flags<T: PropertyEnumeration & Hashable>(
    _ name: String, _ path: WritableKeyPath<E.Settings, Set<T>> & Sendable, _ blurb: String, changeable: Mutability
  ) -> Self {
    Self(
      name, path, blurb, .flags({ T.flagsType }), changeable, wrap: { T.flags(Set($0.map(\.rawValue))) },
      unwrap: { value in
        guard case .flags(_, let bits) = value else { return nil }
        return Set(T.allCases.enumerated().filter { bits & 1 << UInt32($0.offset) != 0 }.map(\.element))
      })
  }

  /// A read-only count.
  public static func counter(_ name: String, _ path: KeyPath<E.Readings, UInt64> & Sendable, _ blurb: String) -> Self {
    Self(reading: name, blurb, .uint64(0...(.max))) { .uint64($0[keyPath: path]) }
  }

  /// A read-only number; what lies outside of the range is read as its nearest end.
  public static func measurement(
    _ name: String, _ path: KeyPath<E.Readings, Double> & Sendable, _ blurb: String, _ range: ClosedRange<Double>
  ) -> Self {
    Self(reading: name, blurb, .double(range)) { .double(min(max($0[keyPath: path], range.lowerBound), range.upperBound)) }
  }
}

extension Property {
  /// GObject's description of the property, with `initial` as its default.
  func makeSpecification(initial: Value) -> UnsafeMutablePointer<GParamSpec>? {
    let access = GParamFlags(rawValue: G_PARAM_READABLE.rawValue | (mutability.map { G_PARAM_WRITABLE.rawValue | $0.flags } ?? 0))
    // "min-shot-duration" → "Min shot duration"
    let words = name.split(separator: "-").joined(separator: " ")
    let nick = words.prefix(1).uppercased() + words.dropFirst()
    switch (kind, initial) {
    case (.bool, .bool(let value)): return g_param_spec_boolean(name, nick, blurb, value ? 1 : 0, access)
    case (.int(let range), .int(let value)):
      return g_param_spec_int(name, nick, blurb, range.lowerBound, range.upperBound, value, access)
    case (.uint(let range), .uint(let value)):
      return g_param_spec_uint(name, nick, blurb, range.lowerBound, range.upperBound, value, access)
    case (.int64(let range), .int64(let value)):
      return g_param_spec_int64(name, nick, blurb, gint64(range.lowerBound), gint64(range.upperBound), gint64(value), access)
    case (.uint64(let range), .uint64(let value)):
      return g_param_spec_uint64(name, nick, blurb, guint64(range.lowerBound), guint64(range.upperBound), guint64(value), access)
    case (.double(let range), .double(let value)):
      return g_param_spec_double(name, nick, blurb, range.lowerBound, range.upperBound, value, access)
    case (.string, .string(let value)), (.fileName, .string(let value)): return g_param_spec_string(name, nick, blurb, value, access)
    case (.fraction, .fraction(let numerator, let denominator)):
      return gst_param_spec_fraction(name, nick, blurb, 0, 1, Int32.max, 1, numerator, denominator, access)
    case (.strings, _):
      let element = g_param_spec_string("text", "Text", "One text", nil, access)
      return gst_param_spec_array(name, nick, blurb, element, access)
    case (.enumeration(let type), .enumeration(_, let value)):
      return g_param_spec_enum(name, nick, blurb, type(), value, access)
    case (.flags(let type), .flags(_, let value)): return g_param_spec_flags(name, nick, blurb, type(), value, access)
    default: return nil
    }
  }
}
