import Glibc
import Tensors

func seconds(_ work: () throws -> Void) rethrows -> Double {
  var a = timespec(), b = timespec()
  clock_gettime(CLOCK_MONOTONIC, &a)
  try work()
  clock_gettime(CLOCK_MONOTONIC, &b)
  return Double(b.tv_sec - a.tv_sec) + Double(b.tv_nsec - a.tv_nsec) / 1e9
}
let n = Int(CommandLine.arguments[1])!, heads = Int(CommandLine.arguments[2])!, d = 64 * heads
for type in [DataType.bfloat16, .float32] {
  let compute = try Compute(type, threads: 2)
  let x = Matrix((0..<n * d).map { Float(($0 * 7919) % 1000) / 1000 - 0.5 }, rows: n, columns: d, type: type)
  let linear = Linear(inputs: d, outputs: 4 * d, bias: nil, type: type) { [Float](repeating: 0.01, count: 4 * d * d) }
  _ = try linear(x, activation: .geluTanh, on: compute)
  let t = try seconds { _ = try linear(x, activation: .geluTanh, on: compute) }
  print(type, "linear", t, "s", 2.0 * Double(n * d) * Double(4 * d) / t / 1e9, "GFLOP/s")
  let q = try linear(x, on: compute)
  _ = q
  for _ in 0..<2 {
  let ta = try seconds { _ = try compute.attend(x, [(x, x)], heads: heads, groups: [AttentionGroup(queries: 0..<n, keys: [.init(0..<226), .init(226..<n)])]) }
  print("attend", ta, "s", 4.0 * Double(n) * Double(n) * Double(d) / ta / 1e9, "GFLOP/s")
  }
}
