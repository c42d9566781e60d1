/// How the elements of a tensor are stored.
public enum DataType: String, Hashable, Sendable, CaseIterable {
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case uint8 = "U8"
  case int8 = "I8"
  case int32 = "I32"
  case int64 = "I64"

  /// What `TensorView.floats()` reads.
  public static let floatingPoint: [DataType] = [.float32, .float16, .bfloat16]

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .uint8, .int8: 1
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .int64: 8
    }
  }
}
