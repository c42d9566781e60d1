import Tensors

/// Numbers from −1 to 1, the same in every run.
func noise(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var random = Seeded(state: seed)
  return (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
}

/// Whole numbers, the same in every run.
func wholes(_ count: Int, _ range: ClosedRange<Int>, seed: UInt64 = 2) -> [Float] {
  var random = Seeded(state: seed)
  return (0..<count).map { _ in Float(Int.random(in: range, using: &random)) }
}

/// To the nearest bfloat16, ties to even.
func bfloat16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}

func rounded(_ values: [Float], to type: DataType) -> [Float] {
  type == .bfloat16 ? values.map { Float(bitPattern: UInt32(bfloat16($0)) << 16) } : values
}

/// Elements of a type in memory that kernels like.
func stored(_ values: [Float], _ type: DataType) -> AlignedMemory {
  let memory = AlignedMemory(byteCount: values.count * type.size)
  for (index, value) in values.enumerated() {
    let place = memory.base + index * type.size
    switch type {
    case .bfloat16: place.storeBytes(of: bfloat16(value), as: UInt16.self)
    case .uint8: place.storeBytes(of: UInt8(value), as: UInt8.self)
    case .int8: place.storeBytes(of: Int8(value), as: Int8.self)
    default: place.storeBytes(of: value, as: Float.self)
    }
  }
  return memory
}

func loaded(_ memory: AlignedMemory, _ count: Int, _ type: DataType) -> [Float] {
  (0..<count).map { index in
    let place = memory.base + index * type.size
    return type == .bfloat16 ? Float(bitPattern: UInt32(place.load(as: UInt16.self)) << 16) : place.load(as: Float.self)
  }
}

/// Runs a kernel once.
func run(_ kernel: Kernel, _ source: AlignedMemory, _ second: AlignedMemory? = nil, count: Int, _ type: DataType = .float32) throws
  -> [Float]
{
  ComputeLibrary.useOneThread()
  let destination = AlignedMemory(byteCount: count * type.size)
  try withExtendedLifetime((source, second)) { try kernel.run(source.base, second?.base, to: destination.base, on: Stream()) }
  return loaded(destination, count, type)
}

/// The largest difference, as a part of 1 and of what is expected; infinite if the numbers of elements differ.
func distance(_ found: [Float], _ expected: [Float]) -> Float {
  guard found.count == expected.count else { return .infinity }
  return zip(found, expected).map { $0.isNaN ? .infinity : abs($0 - $1) / (1 + abs($1)) }.max() ?? 0
}

/// The status of what is refused; nil if nothing was.
func refusal<Result>(_ body: () throws(ComputeError) -> Result) -> UInt32? {
  do throws(ComputeError) {
    _ = try body()
    return nil
  } catch {
    guard case .failed(_, let status) = error else { return 0 }
    return status
  }
}
