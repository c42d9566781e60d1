import Tensors

/// What the network computes in.
public enum Precision: String, CaseIterable, Hashable, Sendable {
  /// Float32 throughout.
  case float32
  /// Bfloat16 products, float32 sums.
  case bfloat16
  /// Spatial convolutions in bytes, whose sums are exact; the rest as in `bfloat16`, or in float32 where the processor has
  /// no bfloat16.
  case int8

  /// The fastest that this processor has instructions for.
  public static var automatic: Precision { ComputeLibrary.hasInt8 ? .int8 : ComputeLibrary.hasBFloat16 ? .bfloat16 : .float32 }

  /// What is computed in where this is asked for: float32 with a library that has nothing else.
  public var available: Precision { ComputeLibrary.hasOnlyFloat32 ? .float32 : self }

  /// The activations that spatial convolutions read.
  var activation: DataType {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .int8: .uint8
    }
  }

  /// Weights of spatial convolutions.
  var spatialWeight: DataType { self == .int8 ? .int8 : activation }

  /// What lies between the spatial and the temporal convolution, and what the dense layers read.
  var inner: DataType {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .int8: ComputeLibrary.hasBFloat16 ? .bfloat16 : .float32
    }
  }
}
