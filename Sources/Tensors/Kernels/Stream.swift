import COneDNN

/// Where kernels run one after the other, and the memory that they work in. One for each thread.
public final class Stream {
  private let handle: dnnl_stream_t?
  private var memory: AlignedMemory?

  public init() throws(ComputeError) {
    guard ComputeLibrary.current == .oneDNN else {
      // The first that needs the library says that it is missing.
      _ = try OpenBLAS.loaded.get()
      handle = nil
      return
    }
    var handle: dnnl_stream_t?
    try OneDNN.check(dnnl_stream_create(&handle, OneDNN.engine.get(), UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
    self.handle = handle
  }

  deinit { if let handle { dnnl_stream_destroy(handle) } }

  /// nil with another library.
  var oneDNN: dnnl_stream_t? { handle }

  /// As much as the kernel that runs next asks for; what was asked for most stays.
  func scratchpad(byteCount: Int) -> UnsafeMutableRawPointer {
    if let memory, memory.byteCount >= byteCount { return memory.base }
    memory = nil
    let larger = AlignedMemory(byteCount: byteCount)
    memory = larger
    return larger.base
  }
}
