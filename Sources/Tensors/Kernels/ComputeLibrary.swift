#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What products and convolutions of networks go through.
///
/// oneDNN has kernels of its own for x86-64, compiled for the processor that it finds. Where it has none, as in Debian's
/// package for arm64, it computes with plain loops, and OpenBLAS's product of matrices is many times as fast. The
/// environment variable `GST_SHOTS_COMPUTE` takes the other one: it is read once.
public enum ComputeLibrary: String, CaseIterable, Hashable, Sendable {
  /// Float32, bfloat16 and int8.
  case oneDNN = "onednn"
  /// Float32 only. Loaded when it is first wanted.
  case openBLAS = "openblas"

  /// The environment variable, which has a case's raw value.
  public static let variable = "GST_SHOTS_COMPUTE"

  /// That of this process.
  public static var current: ComputeLibrary { choice.library }

  /// What the variable says, if it is the name of none.
  public static var unknownName: String? { choice.unknown }

  private static let choice = choose(getenv(variable).map { String(cString: $0) })

  /// - Parameter name: nil or empty for what suits the architecture; unknown names are as none.
  package static func choose(_ name: String?) -> (library: ComputeLibrary, unknown: String?) {
    guard let name, !name.isEmpty else { return (suitable, nil) }
    guard let library = ComputeLibrary(rawValue: name) else { return (suitable, name) }
    return (library, nil)
  }

  private static var suitable: ComputeLibrary {
    #if arch(x86_64)
      .oneDNN
    #else
      .openBLAS
    #endif
  }

  /// As its makers write it.
  public var name: String {
    switch self {
    case .oneDNN: "oneDNN"
    case .openBLAS: "OpenBLAS"
    }
  }

  /// The version that runs, such as 2.6.3; with OpenBLAS also what it was built for, and the processor that it takes this one for.
  public static var version: String {
    switch current {
    case .oneDNN: OneDNN.version
    case .openBLAS: OpenBLAS.version
    }
  }

  /// What the library takes of this processor, such as "AVX-512 BF16".
  public static var instructions: String {
    switch current {
    case .oneDNN: OneDNN.instructions
    case .openBLAS: "OpenBLAS, which has float32 alone"
    }
  }

  /// Keeps the library on the calling thread. Each thread that makes or runs kernels calls it first; work is shared out above.
  public static func useOneThread() {
    switch current {
    case .oneDNN: OneDNN.useOneThread()
    case .openBLAS: OpenBLAS.useOneThread()
    }
  }

  /// Whether float32 is all that there is: whatever else is asked for is computed in it.
  public static var hasOnlyFloat32: Bool { current == .openBLAS }

  /// Whether bfloat16 products are one instruction here, and not emulated.
  public static var hasBFloat16: Bool { !hasOnlyFloat32 && OneDNN.hasBFloat16 }

  /// Whether products of bytes are one instruction here.
  public static var hasInt8: Bool { !hasOnlyFloat32 && OneDNN.hasInt8 }
}
