import Tensors
import Testing

@Suite("The library that computes")
struct ComputeLibraryTests {
  @Test("It is the architecture's unless another is named; what is no name is told and changes nothing")
  func choice() {
    let usual = ComputeLibrary.choose(nil).library
    #if arch(x86_64)
      #expect(usual == .oneDNN)
    #else
      #expect(usual == .openBLAS)
    #endif
    for (name, library, unknown) in [
      ("onednn", ComputeLibrary.oneDNN, nil), ("openblas", .openBLAS, nil), ("", usual, nil), ("OpenBLAS", usual, "OpenBLAS"),
      ("mkl", usual, "mkl"),
    ] {
      let choice = ComputeLibrary.choose(name)
      #expect(choice.library == library, "\(name)")
      #expect(choice.unknown == unknown, "\(name)")
    }
  }

  @Test("Without OpenBLAS the error says what to install and what the system says")
  func missing() {
    // The second library is there, but multiplies no matrices.
    for (names, words) in [
      (["libno-such-blas.so.0"], ["libno-such-blas.so.0"]),
      (["libno-such-blas.so", "libm.so.6"], ["libno-such-blas.so", "libm.so.6 has no cblas_sgemm"]),
    ] {
      let error = #expect(throws: ComputeError.self) { try OpenBLAS(names: names) }
      let text = error?.description ?? ""
      for word in ["libopenblas0"] + words { #expect(text.contains(word), "\(word) in \(text)") }
    }
  }

  @Test(
    "With OpenBLAS all is float32, whatever is asked for", .enabled(if: ComputeLibrary.current == .openBLAS),
    arguments: [nil, DataType.bfloat16, .int8])
  func onlyFloat32(_ type: DataType?) throws {
    #expect(!ComputeLibrary.hasBFloat16 && !ComputeLibrary.hasInt8)
    let compute = try Compute(type, threads: 1)
    #expect(compute.type == .float32 && compute.weights == .float32)
    #expect(refusal { () throws(ComputeError) in try Kernel.softmax(rows: 2, columns: 2, type: .bfloat16) } == 3)
    let shape = ProductShape(rows: 2, inner: 2, columns: 2)
    #expect(refusal { () throws(ComputeError) in try Kernel.product(shape, source: .uint8, second: .int8, destination: .float32) } == 3)
    #expect(
      refusal { () throws(ComputeError) in
        try Kernel.product(
          shape, PackedWeights([1, 2, 3, 4], shape: [1, 2, 2], type: .float32), bias: nil, source: .float32, destination: .float32,
          finish: Finish(scales: [2]))
      } == (ComputeLibrary.hasOnlyFloat32 ? 3 : nil))
  }

  @Test("Several threads compute at once, each with kernels of its own")
  func threads() throws {
    let compute = try Compute(.float32, threads: 4)
    let (rows, inner, columns) = (150, 70, 90)
    let (a, b) = (wholes(rows * inner, -9...9), wholes(inner * columns, -9...9, seed: 3))
    let shape = ProductShape(rows: rows, inner: inner, columns: columns)
    let expected = product(shape, a, Place(matrix: 0, row: inner), b, Place(matrix: 0, row: columns))
    let (first, second) = (stored(a, .float32), stored(b, .float32))
    let targets = (0..<compute.threads).map { _ in AlignedMemory(byteCount: rows * columns * 4) }
    let kernels = try targets.map { _ in try Kernel.product(shape, source: .float32, second: .float32, destination: .float32) }
    let streams = try targets.map { _ in try Stream() }
    try compute.forEach(400) { _, thread in
      try kernels[thread].run(first.base, second.base, to: targets[thread].base, on: streams[thread])
      // Whole numbers: the sums are exact.
      guard loaded(targets[thread], rows * columns, .float32) == expected else {
        throw ComputeError(call: "the sums that are expected", status: 0)
      }
    }
  }
}
