#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory on a cache line's boundary, which kernels read and write fastest; zeros at first. What is never touched of it
/// costs no memory.
public final class AlignedMemory: @unchecked Sendable {  // who writes when is its owners' affair
  /// The first byte, at a multiple of 64; valid as long as this lives.
  public let base: UnsafeMutableRawPointer
  /// Bytes that may be used, as many as were asked for.
  public let byteCount: Int
  private let block: UnsafeMutableRawPointer

  private static let alignment = 64

  /// A negative number is taken as 0.
  public init(byteCount: Int) {
    self.byteCount = max(0, byteCount)
    let size = self.byteCount + 2 * Self.alignment
    // calloc has the system's zeros for large blocks, where writing them would touch every page.
    block = calloc(1, size) ?? .allocate(byteCount: size, alignment: 16)
    base = block.alignedUp(toMultipleOf: Self.alignment)
  }

  deinit { free(block) }
}
