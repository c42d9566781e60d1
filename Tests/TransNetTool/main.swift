// transnet [--precision float32|bfloat16|int8|auto] [--threads N] [--windowed | --look-ahead N] [--model DIR] [--chunk N] [--rounds N]
//          [--ranges | --hours N] < FRAMES > PREDICTIONS
// transnet --peak [--threads N]
//
// Runs TransNetV2 over raw frames (27 × 48 pixels of red, green and blue) from standard input and prints both heads'
// probabilities, a frame a line. Speed goes to standard error as JSON. --ranges prints activation ranges instead; --hours runs
// over the frames again and again, as many as that many hours have at 25 a second, and prints resident memory as JSON.
// --peak prints what the network's convolutions reach alone, in each precision that the processor has, as JSON.

import Tensors
import Threads
import TransNet

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

struct Options {
  var precision = Precision.automatic
  var threads = 2
  var windowing = Windowing.streaming(lookAhead: 50)
  var model = "models/transnetv2"
  var chunk: Int?
  var rounds = 1
  var ranges = false
  var hours: Double?
  var peak = false

  init(_ arguments: [String]) {
    var rest = arguments.dropFirst()
    func number() -> Int { rest.popFirst().flatMap { Int($0) } ?? 0 }
    while let argument = rest.popFirst() {
      switch argument {
      case "--precision": precision = rest.popFirst().flatMap(Precision.init) ?? .automatic
      case "--threads": threads = number()
      case "--windowed": windowing = .windowed
      case "--look-ahead": windowing = .streaming(lookAhead: number())
      case "--model": model = rest.popFirst() ?? model
      case "--chunk": chunk = number()
      case "--rounds": rounds = number()
      case "--ranges": ranges = true
      case "--hours": hours = rest.popFirst().flatMap { Double($0) } ?? 1
      case "--peak": peak = true
      default:
        complain("unknown option \(argument)\n")
        exit(2)
      }
    }
  }
}

func complain(_ text: String) {
  let bytes = Array(text.utf8)
  _ = write(2, bytes, bytes.count)
}

func seconds() -> Double { Double(monotonicTime()) / 1e9 }

func readFrames() -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = read(0, &buffer, buffer.count)
    guard count > 0 else { return bytes }
    bytes += buffer[..<count]
  }
}

let options = Options(CommandLine.arguments)
ComputeLibrary.useOneThread()
if options.peak {
  do {
    for precision in Peak.precisions {
      let peak = try Peak.measure(precision, threads: max(1, options.threads))
      say(
        "{\"precision\": \"\(precision.rawValue)\", \"automatic\": \(precision == .automatic), \"threads\": \(options.threads), \"gigaflops\": \((peak.gigaflops * 10).rounded() / 10), \"shape\": \"\(peak.shape)\", \"implementation\": \"\(peak.implementation)\"}\n"
      )
    }
    exit(0)
  } catch {
    complain("\(error)\n")
    exit(1)
  }
}
let bytes = readFrames()
let frames = bytes.count / 3888
do {
  let started = seconds()
  let weights = try TransNetWeights(folder: options.model)
  let loaded = seconds()
  if options.ranges {
    let ranges = try bytes.withUnsafeBufferPointer { try weights.measureRanges($0, threads: options.threads) }
    print(ranges)
    exit(0)
  }
  let predictor = try weights.makePredictor(options.windowing, precision: options.precision, threads: options.threads)
  let made = seconds()
  if let hours = options.hours {
    try bytes.withUnsafeBufferPointer { try endure(predictor, $0, hours: hours) }
    exit(0)
  }
  var predictions: [Prediction] = []
  var best = Double.infinity
  for _ in 0..<max(1, options.rounds) {
    predictions.removeAll(keepingCapacity: true)
    let begun = seconds()
    try bytes.withUnsafeBufferPointer { all in
      guard let base = all.baseAddress else { return }
      var done = 0
      while done < frames {
        let count = min(options.chunk ?? predictor.bestCount, frames - done)
        try predictor.push(base + done * 3888, count: count, into: &predictions)
        done += count
      }
    }
    try predictor.finish(into: &predictions)
    best = min(best, seconds() - begun)
  }
  for prediction in predictions { print(prediction.oneHot, prediction.manyHot) }
  let rate = (Double(frames) / best * 10).rounded() / 10
  complain(
    "{\"precision\": \"\(options.precision.rawValue)\", \"threads\": \(options.threads), \"frames\": \(frames), \"fps\": \(rate), \"load_ms\": \(((loaded - started) * 1e3).rounded()), \"prepare_ms\": \(((made - loaded) * 1e3).rounded())}\n"
  )
} catch {
  complain("\(error)\n")
  exit(1)
}
