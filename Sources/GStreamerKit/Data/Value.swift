import CGStreamer

/// A value that travels through a property, a signal or a field of a structure.
public enum Value: Sendable, Hashable {
  case bool(Bool)
  case int(Int32)
  case uint(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case double(Double)
  case string(String?)
  case strings([String])
  /// Numerator and denominator.
  case fraction(Int32, Int32)
  /// A value of a registered enumeration.
  case enumeration(GType, Int32)
  /// Bits of a registered set of flags.
  case flags(GType, UInt32)
}

/// The fundamental types of GObject, which are macros in C.
enum FundamentalType {
  static let none = GType(1 << 2)
  static let boolean = GType(5 << 2)
  static let int = GType(6 << 2)
  static let uint = GType(7 << 2)
  static let int64 = GType(10 << 2)
  static let uint64 = GType(11 << 2)
  static let enumeration = GType(12 << 2)
  static let flags = GType(13 << 2)
  static let double = GType(15 << 2)
  static let string = GType(16 << 2)
}

extension Value {
  var type: GType {
    switch self {
    case .bool: FundamentalType.boolean
    case .int: FundamentalType.int
    case .uint: FundamentalType.uint
    case .int64: FundamentalType.int64
    case .uint64: FundamentalType.uint64
    case .double: FundamentalType.double
    case .string: FundamentalType.string
    case .strings: gst_value_array_get_type()
    case .fraction: gst_fraction_get_type()
    case .enumeration(let type, _), .flags(let type, _): type
    }
  }

  /// Writes into a value that was initialised with `type`.
  func store(in value: UnsafeMutablePointer<GValue>) {
    switch self {
    case .bool(let v): g_value_set_boolean(value, v ? 1 : 0)
    case .int(let v): g_value_set_int(value, v)
    case .uint(let v): g_value_set_uint(value, v)
    case .int64(let v): g_value_set_int64(value, gint64(v))
    case .uint64(let v): g_value_set_uint64(value, guint64(v))
    case .double(let v): g_value_set_double(value, v)
    case .string(let v): g_value_set_string(value, v)
    case .strings(let list):
      for text in list {
        Value.string(text).withGValue { gst_value_array_append_value(value, $0) }
      }
    case .fraction(let numerator, let denominator): gst_value_set_fraction(value, numerator, max(1, denominator))
    case .enumeration(_, let v): g_value_set_enum(value, v)
    case .flags(_, let v): g_value_set_flags(value, v)
    }
  }

  /// Runs `body` with a temporary GValue that holds this value.
  public func withGValue<R>(_ body: (UnsafeMutablePointer<GValue>) throws -> R) rethrows -> R {
    var value = GValue()
    g_value_init(&value, type)
    store(in: &value)
    defer { g_value_unset(&value) }
    return try body(&value)
  }

  /// The Swift form of a GValue, or nil if its type is none of the above.
  public init?(_ value: UnsafePointer<GValue>) {
    switch value.pointee.g_type {
    case FundamentalType.boolean: self = .bool(g_value_get_boolean(value) != 0)
    case FundamentalType.int: self = .int(g_value_get_int(value))
    case FundamentalType.uint: self = .uint(g_value_get_uint(value))
    case FundamentalType.int64: self = .int64(Int64(g_value_get_int64(value)))
    case FundamentalType.uint64: self = .uint64(UInt64(g_value_get_uint64(value)))
    case FundamentalType.double: self = .double(g_value_get_double(value))
    case FundamentalType.string: self = .string(g_value_get_string(value).map { String(cString: $0) })
    case gst_value_array_get_type():
      self = .strings(
        (0..<gst_value_array_get_size(value)).compactMap { index in
          guard let item = gst_value_array_get_value(value, index), item.pointee.g_type == FundamentalType.string else { return nil }
          return g_value_get_string(item).map { String(cString: $0) }
        })
    case gst_fraction_get_type():
      self = .fraction(gst_value_get_fraction_numerator(value), gst_value_get_fraction_denominator(value))
    case let type where g_type_is_a(type, FundamentalType.enumeration) != 0:
      self = .enumeration(type, g_value_get_enum(value))
    case let type where g_type_is_a(type, FundamentalType.flags) != 0:
      self = .flags(type, g_value_get_flags(value))
    default: return nil
    }
  }

  /// Whether a GValue that is a text is one in UTF-8, as it should be: ``string`` has U+FFFD for what is not.
  static func isUTF8(_ value: UnsafePointer<GValue>) -> Bool {
    guard value.pointee.g_type == FundamentalType.string, let text = g_value_get_string(value) else { return true }
    return String(validatingCString: text) != nil
  }

  // The value, if it is of that very type: nothing is converted.

  /// A `gboolean`.
  public var bool: Bool? { if case .bool(let v) = self { v } else { nil } }
  /// A `gint`.
  public var int: Int32? { if case .int(let v) = self { v } else { nil } }
  /// A `guint`.
  public var uint: UInt32? { if case .uint(let v) = self { v } else { nil } }
  /// A `gint64`.
  public var int64: Int64? { if case .int64(let v) = self { v } else { nil } }
  /// A `guint64`, such as a time in nanoseconds.
  public var uint64: UInt64? { if case .uint64(let v) = self { v } else { nil } }
  /// A `gdouble`.
  public var double: Double? { if case .double(let v) = self { v } else { nil } }
  /// A `gchararray`; nil also for text that is not there.
  public var string: String? { if case .string(let v) = self { v } else { nil } }
  /// A `GstValueArray` of texts.
  public var strings: [String]? { if case .strings(let v) = self { v } else { nil } }
}
