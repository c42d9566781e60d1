/// Where kernels run one after the other, and the memory that they work in. One for each thread.
public final class Stream {
  /// nil with another library.
  let oneDNN: OneDNNStream?
  private var memory: AlignedMemory?

  /// - Throws: OpenBLAS is what this process computes with and cannot be loaded, or oneDNN has no stream to give.
  public init() throws(ComputeError) {
    switch ComputeLibrary.current {
    case .oneDNN: oneDNN = try OneDNNStream()
    case .openBLAS:
      // The first that needs the library says that it is missing.
      _ = try OpenBLAS.loaded.get()
      oneDNN = nil
    }
  }

  /// As much as the kernel that runs next asks for; what was asked for most stays.
  func scratchpad(byteCount: Int) -> UnsafeMutableRawPointer {
    if let memory, memory.byteCount >= byteCount { return memory.base }
    memory = nil
    let larger = AlignedMemory(byteCount: byteCount)
    memory = larger
    return larger.base
  }
}
