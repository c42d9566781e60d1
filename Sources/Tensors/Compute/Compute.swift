import Synchronization

/// What a network computes with: a few threads, and the element type that its products read.
///
/// With `float32` results are those of plain float32 arithmetic, to rounding. With `bfloat16` what products multiply is
/// rounded to 8 bits, while sums, normalisations, softmax and whatever is added up from layer to layer stay float32. With `int8`
/// a transformer's blocks multiply bytes besides, except with the weights that would lose too much; all else is as with `bfloat16`.
///
/// To be used by one caller at a time.
public final class Compute {
  /// What products read: `float32` or `bfloat16`.
  public let type: DataType
  /// What large layers have their weights in: `type`, or `int8`.
  public let weights: DataType
  let team: WorkerTeam
  private let streams: [Stream]
  private let scratch: [Scratch]
  let products: [ProductCache]
  /// Multiplications and additions that products have done so far, two a multiply-add.
  public private(set) var operations = 0.0

  /// - Parameters:
  ///   - type: `float32`, `bfloat16` or `int8`; nil for bfloat16 where the processor has instructions for it. With `int8` it is
  ///     as with nil on processors that cannot multiply bytes and add them up in one instruction. With OpenBLAS it is always float32.
  ///   - threads: the caller's included, 1 to 64. Fewer are made if the system refuses them.
  public init(_ type: DataType? = nil, threads: Int) throws {
    precondition([nil, .float32, .bfloat16, .int8].contains(type), "networks compute in float32, bfloat16 or int8")
    let activations = type == .int8 ? nil : type
    self.type = ComputeLibrary.hasOnlyFloat32 ? .float32 : activations ?? (ComputeLibrary.hasBFloat16 ? .bfloat16 : .float32)
    weights = type == .int8 && ComputeLibrary.hasInt8 ? .int8 : self.type
    ComputeLibrary.useOneThread()
    team = WorkerTeam(count: min(max(threads, 1), 64))
    streams = try (0..<team.count).map { _ in try Stream() }
    scratch = (0..<team.count).map { _ in Scratch() }
    products = (0..<team.count).map { [type = self.type] _ in ProductCache(type) }
  }

  /// How many threads compute, the caller's included: 1 … 64, and fewer than asked for if the system refused some.
  public var threads: Int { team.count }

  func stream(_ thread: Int) -> Stream { streams[thread] }

  func count(operations: Double) { self.operations += operations }

  /// Calls `body` for each of `count` pieces of work, spread over the threads; which runs which is left to chance.
  ///
  /// - Parameter body: gets the number of the piece and of the thread. Pieces must not touch what others write.
  /// - Throws: what the first piece that failed threw; the others may not have run then.
  public func forEach(_ count: Int, _ body: (Int, Int) throws -> Void) throws {
    // Whoever computes here has the library on its own thread only.
    ComputeLibrary.useOneThread()
    if team.count == 1 || count <= 1 {
      for piece in 0..<count { try body(piece, 0) }
      return
    }
    let next = Atomic(0)
    let failures = Mutex<[any Error]>([])
    team.run { thread in
      while true {
        let piece = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard piece < count else { return }
        do { try body(piece, thread) } catch {
          failures.withLock { $0.append(error) }
          next.store(count, ordering: .relaxed)
        }
      }
    }
    if let failure = failures.withLock(\.first) { throw failure }
  }

  /// The same for rows, of which neighbours go to one thread.
  ///
  /// - Parameter body: gets the row and the thread.
  public func forEachRow(_ rows: Int, _ body: (Int, Int) throws -> Void) throws {
    let strip = min(64, max(1, (rows + team.count - 1) / team.count))
    try forEach((rows + strip - 1) / strip) { piece, thread in
      for row in piece * strip..<min(rows, (piece + 1) * strip) { try body(row, thread) }
    }
  }

  /// Memory for the thread alone, until it asks again. It keeps the largest that was asked for.
  func scratch(_ thread: Int, byteCount: Int) -> UnsafeMutableRawPointer {
    let scratch = scratch[thread]
    if let memory = scratch.memory, memory.byteCount >= byteCount { return memory.base }
    scratch.memory = nil
    let memory = AlignedMemory(byteCount: byteCount)
    scratch.memory = memory
    return memory.base
  }

  /// An object a thread: threads must not change one array.
  private final class Scratch {
    var memory: AlignedMemory?
  }
}
