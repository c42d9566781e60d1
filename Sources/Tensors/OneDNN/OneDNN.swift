import COneDNN

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What oneDNN refused, and when.
public struct OneDNNError: Error, CustomStringConvertible {
  /// The function of oneDNN's C interface.
  public var call: String
  /// Its `dnnl_status_t`: 1 out of memory, 2 invalid arguments, 3 unimplemented, …
  public var status: UInt32

  public init(call: String, status: UInt32) {
    self.call = call
    self.status = status
  }

  public var description: String { "oneDNN's \(call) failed with status \(status)" }
}

/// The processor as oneDNN sees it.
///
/// oneDNN's own threads are not used: their barriers spin, which costs whole milliseconds wherever something else wants
/// the processor. Each thread that makes or runs kernels calls ``useOneThread()`` first, and work is shared out above.
public enum OneDNN {
  /// The version that runs, such as 2.6.3.
  public static var version: String {
    guard let version = dnnl_version()?.pointee else { return "unknown" }
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// Keeps oneDNN on the calling thread.
  public static func useOneThread() { cdnn_set_thread_count(1) }

  /// Whether bfloat16 products are one instruction here, and not emulated.
  public static var hasBFloat16: Bool { supports(dnnl_cpu_isa_avx512_core_bf16) }

  /// Whether products of bytes are one instruction here.
  public static var hasInt8: Bool { supports(dnnl_cpu_isa_avx512_core_vnni) || supports(dnnl_cpu_isa_avx2_vnni) }

  private static let isa = dnnl_get_effective_cpu_isa()

  /// Instruction sets are bit sets that hold those they extend.
  private static func supports(_ wanted: dnnl_cpu_isa_t) -> Bool { isa.rawValue & wanted.rawValue == wanted.rawValue }

  /// Engines may be used by all threads.
  nonisolated(unsafe) static let engine: Result<dnnl_engine_t, OneDNNError> = Result {
    () throws(OneDNNError) in
    var engine: dnnl_engine_t?
    try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
    guard let engine else { throw OneDNNError(call: "dnnl_engine_create", status: 0) }
    return engine
  }

  /// Held while oneDNN chooses and compiles an implementation: in version 2.6 two threads that make convolutions at once can each
  /// get one that computes something else.
  static func whileMaking<Result>(_ body: () throws(OneDNNError) -> Result) throws(OneDNNError) -> Result {
    pthread_mutex_lock(making)
    defer { pthread_mutex_unlock(making) }
    return try body()
  }

  nonisolated(unsafe) private static let making: UnsafeMutablePointer<pthread_mutex_t> = {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    return mutex
  }()

  static func check(_ status: dnnl_status_t, _ call: String) throws(OneDNNError) {
    guard status == dnnl_success else { throw OneDNNError(call: call, status: status.rawValue) }
  }
}

/// Where kernels run one after the other, and the memory that they work in. One for each thread.
public final class Stream {
  let handle: dnnl_stream_t
  private var memory: AlignedMemory?

  /// As much as the kernel that runs next asks for; what was asked for most stays.
  func scratchpad(byteCount: Int) -> UnsafeMutableRawPointer {
    if let memory, memory.byteCount >= byteCount { return memory.base }
    memory = nil
    let larger = AlignedMemory(byteCount: byteCount)
    memory = larger
    return larger.base
  }

  public init() throws(OneDNNError) {
    var handle: dnnl_stream_t?
    try OneDNN.check(dnnl_stream_create(&handle, OneDNN.engine.get(), UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
    guard let handle else { throw OneDNNError(call: "dnnl_stream_create", status: 0) }
    self.handle = handle
  }

  deinit { dnnl_stream_destroy(handle) }
}

/// Memory on a cache line's boundary, which kernels read and write fastest; zeros at first. What is never touched of it
/// costs no memory.
public final class AlignedMemory: @unchecked Sendable {  // who writes when is its owners' affair
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int
  private let block: UnsafeMutableRawPointer

  private static let alignment = 64

  public init(byteCount: Int) {
    self.byteCount = max(0, byteCount)
    let size = self.byteCount + 2 * Self.alignment
    // calloc has the system's zeros for large blocks, where writing them would touch every page.
    block = calloc(1, size) ?? .allocate(byteCount: size, alignment: 16)
    base = block.alignedUp(toMultipleOf: Self.alignment)
  }

  deinit { free(block) }
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
