import Tensors
import Threads
import TransNet

/// The fastest of the network's spatial convolutions, run back to back with nothing in between: what oneDNN can reach here.
struct Peak {
  /// Of all threads together.
  var gigaflops = 0.0
  /// The convolution that reached it.
  var shape = ""
  var implementation = ""

  /// Every thread runs a kernel of its own, with its share of the outputs as in the network.
  static func measure(_ precision: Precision, threads: Int) throws -> Peak {
    var best = Peak()
    for cell in cells {
      for count in [2, 8] {
        for _ in 0..<3 {
          let result = try run(cell, count: count, precision: precision, threads: threads)
          if result.gigaflops > best.gigaflops { best = result }
        }
      }
    }
    return best
  }

  /// The precisions that are not emulated here.
  static var precisions: [Precision] {
    Precision.allCases.filter {
      switch $0 {
      case .float32: true
      case .bfloat16: ComputeLibrary.hasBFloat16
      case .int8: ComputeLibrary.hasInt8
      }
    }
  }

  private struct Cell {
    var height: Int
    var width: Int
    var inputs: Int
    var outputs: Int
  }

  /// Those of TransNetV2 whose inputs are features; the four branches' outputs are one convolution.
  private static let cells = [
    Cell(height: 27, width: 48, inputs: 64, outputs: 128),
    Cell(height: 13, width: 24, inputs: 64, outputs: 256),
    Cell(height: 13, width: 24, inputs: 128, outputs: 256),
    Cell(height: 6, width: 12, inputs: 128, outputs: 512),
    Cell(height: 6, width: 12, inputs: 256, outputs: 512),
  ]

  /// Long enough for several runs of the largest one.
  private static let duration = 0.02

  private struct Race {
    var ready = 0
    var done = 0
    var rate = 0.0
    var implementation = ""
    var error: ComputeError?
  }

  private static func run(_ cell: Cell, count: Int, precision: Precision, threads: Int) throws -> Peak {
    let race = Monitor(Race())
    var others: [BackgroundThread] = []
    for _ in 0..<threads {
      others.append(
        try BackgroundThread {
          ComputeLibrary.useOneThread()
          do throws(ComputeError) {
            try runAlone(cell, count: count, precision: precision, threads: threads, race)
          } catch {
            race.change {
              $0.error = error
              $0.ready = threads
            }
          }
        })
    }
    for thread in others { thread.join() }
    let result = race.change { $0 }
    if let error = result.error { throw error }
    return Peak(
      gigaflops: result.rate / 1e9, shape: "\(count) × \(cell.height) × \(cell.width), \(cell.inputs) → \(cell.outputs)",
      implementation: result.implementation)
  }

  private static func runAlone(
    _ cell: Cell, count: Int, precision: Precision, threads: Int, _ race: Monitor<Race>
  ) throws(ComputeError) {
    let outputs = cell.outputs / threads
    let (source, weight) = operands(precision)
    let destination: DataType = precision == .float32 || !ComputeLibrary.hasBFloat16 ? .float32 : .bfloat16
    let weights = PackedWeights([Float](repeating: 1, count: outputs * cell.inputs * 9), shape: [outputs, cell.inputs, 3, 3], type: weight)
    var shape = ConvolutionShape(
      count: count, height: cell.height, width: cell.width, inputs: cell.inputs, outputs: outputs, kernel: (3, 3))
    shape.padding = (1, 1)
    let finish = Finish(scales: precision == .int8 ? [Float](repeating: 1e-3, count: outputs) : [])
    let kernel = try Kernel.convolution(shape, weights, bias: nil, source: source, destination: destination, finish: finish)
    let pixels = count * cell.height * cell.width
    let input = AlignedMemory(byteCount: pixels * cell.inputs * source.size)
    // Pages that were never written are all the same one, which would stay in the cache.
    fill(input, with: source)
    let output = AlignedMemory(byteCount: pixels * outputs * destination.size)
    let stream = try Stream()
    try kernel.run(input.base, to: output.base, on: stream)
    race.change {
      $0.ready += 1
      $0.implementation = kernel.implementation
    }
    race.wait { $0.ready >= threads ? () : nil }
    let begun = seconds()
    var (runs, elapsed) = (0, 0.0)
    while elapsed < duration {
      try kernel.run(input.base, to: output.base, on: stream)
      runs += 1
      elapsed = seconds() - begun
    }
    let operations = 2 * pixels * outputs * cell.inputs * 9 * runs
    race.change { $0.rate += Double(operations) / elapsed }
  }

  private static func operands(_ precision: Precision) -> (source: DataType, weight: DataType) {
    switch precision {
    case .float32: (.float32, .float32)
    case .bfloat16: (.bfloat16, .bfloat16)
    case .int8: (.uint8, .int8)
    }
  }

  /// Ones.
  private static func fill(_ memory: AlignedMemory, with type: DataType) {
    switch type {
    case .float32: memory.base.initializeMemory(as: Float.self, repeating: 1, count: memory.byteCount / 4)
    case .bfloat16: memory.base.initializeMemory(as: UInt16.self, repeating: 0x3f80, count: memory.byteCount / 2)
    default: memory.base.initializeMemory(as: UInt8.self, repeating: 1, count: memory.byteCount)
    }
  }
}
