#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// OpenBLAS's product of matrices, from a library that is loaded when it is first wanted: who computes with oneDNN need not
/// have it.
///
/// Its own threads are not used, as oneDNN's are not. Most builds have one number of threads for the whole process, which is
/// set to 1 here: a program that uses OpenBLAS for something else, too, then has one thread there until it sets another.
package struct OpenBLAS: Sendable {
  /// `cblas_sgemm` of its C interface, with its usual 32-bit integers and enumerations.
  private typealias Product =
    @convention(c) @Sendable (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32, Float,
      UnsafeMutablePointer<Float>?, Int32
    ) -> Void
  private typealias SetThreads = @convention(c) @Sendable (Int32) -> Void
  private typealias SetOwnThreads = @convention(c) @Sendable (Int32) -> Int32
  private typealias Describe = @convention(c) @Sendable () -> UnsafePointer<CChar>?

  private let product: Product
  /// Newer versions have a number of threads for the calling thread alone, if they were built so.
  private let setOwnThreads: SetOwnThreads?
  private let configuration: Describe?

  package static let names = ["libopenblas.so.0", "libopenblas.so"]

  static let loaded: Result<OpenBLAS, ComputeError> = Result { () throws(ComputeError) in try OpenBLAS(names: names) }

  /// - Parameter names: of libraries, of which the first is taken that is there.
  package init(names: [String]) throws(ComputeError) {
    var reasons: [String] = []
    for name in names {
      guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else {
        reasons.append(dlerror().map { String(cString: $0) } ?? name)
        continue
      }
      // It stays loaded.
      guard let product = dlsym(library, "cblas_sgemm") else {
        reasons.append("\(name) has no cblas_sgemm")
        dlclose(library)
        continue
      }
      self.product = unsafeBitCast(product, to: Product.self)
      setOwnThreads = dlsym(library, "openblas_set_num_threads_local").map { unsafeBitCast($0, to: SetOwnThreads.self) }
      configuration = dlsym(library, "openblas_get_config").map { unsafeBitCast($0, to: Describe.self) }
      if setOwnThreads == nil, let set = dlsym(library, "openblas_set_num_threads") { unsafeBitCast(set, to: SetThreads.self)(1) }
      return
    }
    throw .noOpenBLAS(reason: reasons.joined(separator: "; "))
  }

  static var version: String {
    guard case .success(let library) = loaded, let text = library.configuration?() else { return "unknown" }
    return String(cString: text)
  }

  static func useOneThread() {
    if case .success(let library) = loaded { _ = library.setOwnThreads?(1) }
  }

  /// All that it multiplies is float32.
  static func checkTypes(_ types: DataType...) throws(ComputeError) {
    guard types.allSatisfy({ $0 == .float32 }) else { throw ComputeError(call: "a type other than float32 with OpenBLAS", status: 3) }
  }

  /// A matrix in rows, as many elements apart.
  struct Operand {
    var base: UnsafePointer<Float>
    var row: Int

    init(_ base: UnsafeRawPointer, row: Int) {
      self.base = base.assumingMemoryBound(to: Float.self)
      self.row = row
    }
  }

  /// C ← A·B, or C + A·B: `[rows][inner]` and `[inner][columns]`, or `[columns][inner]` if it is transposed.
  ///
  /// - Precondition: numbers fit in 32 bits, and rows do not overlap.
  func multiply(
    _ a: Operand, _ b: Operand, isTransposed: Bool = false, to c: UnsafeMutablePointer<Float>, row: Int, rows: Int, inner: Int,
    columns: Int,
    accumulates: Bool
  ) {
    guard rows > 0, columns > 0 else { return }
    let (inRows, asItIs, transposed): (Int32, Int32, Int32) = (101, 111, 112)
    product(
      inRows, asItIs, isTransposed ? transposed : asItIs, Int32(rows), Int32(columns), Int32(inner), 1, a.base, Int32(max(1, a.row)),
      b.base,
      Int32(max(1, b.row)), accumulates ? 1 : 0, c, Int32(max(1, row)))
  }
}
