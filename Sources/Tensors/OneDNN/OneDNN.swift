import COneDNN

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The processor as oneDNN sees it.
///
/// oneDNN's own threads are not used: their barriers spin, which costs whole milliseconds wherever something else wants
/// the processor. Each thread that makes or runs kernels calls ``useOneThread()`` first, and work is shared out above.
enum OneDNN {
  /// The version that runs, such as 2.6.3.
  static var version: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// Keeps oneDNN on the calling thread.
  static func useOneThread() { cdnn_set_thread_count(1) }

  /// Whether bfloat16 products are one instruction here, and not emulated.
  static var hasBFloat16: Bool { supports(dnnl_cpu_isa_avx512_core_bf16) }

  /// Whether products of bytes are one instruction here.
  static var hasInt8: Bool { supports(dnnl_cpu_isa_avx512_core_vnni) || supports(dnnl_cpu_isa_avx2_vnni) }

  /// The best that the processor has and oneDNN may use, such as "AVX-512 BF16", which has VNNI too.
  static var instructions: String {
    let known = [
      (dnnl_cpu_isa_avx512_core_amx, "AMX"), (dnnl_cpu_isa_avx512_core_bf16, "AVX-512 BF16"),
      (dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI"),
      (dnnl_cpu_isa_avx512_core, "AVX-512"), (dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI"), (dnnl_cpu_isa_avx2, "AVX2"), (dnnl_cpu_isa_avx, "AVX"),
      (dnnl_cpu_isa_sse41, "SSE4.1"),
    ]
    return known.first { supports($0.0) }?.1 ?? "plain code"
  }

  private static let isa = dnnl_get_effective_cpu_isa()

  /// Instruction sets are bit sets that hold those they extend.
  private static func supports(_ wanted: dnnl_cpu_isa_t) -> Bool { isa.rawValue & wanted.rawValue == wanted.rawValue }

  /// Engines may be used by all threads.
  nonisolated(unsafe) static let engine: Result<dnnl_engine_t, ComputeError> = Result {
    () throws(ComputeError) in
    var engine: dnnl_engine_t?
    try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
    guard let engine else { throw ComputeError(call: "dnnl_engine_create", status: 0) }
    return engine
  }

  /// Held while oneDNN chooses and compiles an implementation: in version 2.6 two threads that make convolutions at once can each
  /// get one that computes something else.
  static func whileMaking<Result>(_ body: () throws(ComputeError) -> Result) throws(ComputeError) -> Result {
    pthread_mutex_lock(making)
    defer { pthread_mutex_unlock(making) }
    return try body()
  }

  nonisolated(unsafe) private static let making: UnsafeMutablePointer<pthread_mutex_t> = {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    return mutex
  }()

  static func check(_ status: dnnl_status_t, _ call: String) throws(ComputeError) {
    guard status == dnnl_success else { throw ComputeError(call: call, status: status.rawValue) }
  }
}

extension DataType {
  /// nil if oneDNN has no such elements.
  var oneDNN: dnnl_data_type_t? {
    switch self {
    case .float32: dnnl_f32
    case .float16: dnnl_f16
    case .bfloat16: dnnl_bf16
    case .uint8: dnnl_u8
    case .int8: dnnl_s8
    case .int32: dnnl_s32
    case .int64: nil
    }
  }
}
