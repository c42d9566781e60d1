import Glibc
import Tensors
import Testing
import TransNet

extension InferenceThread {
  /// One of the excerpt's frames.
  func submit(frame: Int, _ policy: LatePolicy = .wait) throws(TransNetError) -> Bool {
    try excerpt[frame * frameBytes..<(frame + 1) * frameBytes].withUnsafeBufferPointer { (frame) throws(TransNetError) in
      try submit(frame, policy)
    }
  }

  func predict(_ range: Range<Int>) throws(TransNetError) -> [Prediction] {
    var predictions: [Prediction] = []
    for frame in range {
      guard try submit(frame: frame) else { return [] }
      try takePredictions(into: &predictions)
    }
    try finish(into: &predictions)
    return predictions
  }
}

@Suite("Inference on a thread of its own")
struct InferenceThreadTests {
  static let windowings: [Windowing] = [.windowed, .streaming(lookAhead: 8), .streaming(lookAhead: 50), .streaming(lookAhead: 98)]

  @Test("Predictions are those of the predictor, however frames came to be queued", arguments: windowings)
  func same(_ windowing: Windowing) throws {
    let expected = try Way(windowing, .automatic).makePredictor().predict(frames(0..<53))
    let inference = try InferenceThread(folder: models, windowing: windowing, precision: .automatic, threads: 2)
    #expect(difference(try inference.predict(0..<53), expected) == nil)
    // Taken one by one, so that the queue never fills.
    var found: [Prediction] = []
    for frame in 0..<53 {
      #expect(try inference.submit(frame: frame))
      if frame % 7 == 0 { usleep(20_000) }
    }
    try inference.finish(into: &found)
    #expect(difference(found, expected) == nil)
  }

  @Test("Who waits loses no frame; who skips is told of each that the network does not see")
  func policies() throws {
    let inference = try InferenceThread(folder: models, windowing: .streaming(lookAhead: 50), precision: .float32, threads: 1)
    var found: [Prediction] = []
    for frame in 0..<60 { #expect(try inference.submit(frame: frame, .wait)) }
    try inference.finish(into: &found)
    #expect(found.count == 60)
    found = []
    var taken = 0
    for frame in 0..<160 { taken += try inference.submit(frame: frame, .skip) ? 1 : 0 }
    #expect(InferenceThread.capacity..<160 ~= taken)
    try inference.finish(into: &found)
    #expect(found.count == taken)
  }

  @Test("A reset in the middle leaves nothing behind", arguments: windowings)
  func reset(_ windowing: Windowing) throws {
    let inference = try InferenceThread(folder: models, windowing: windowing, precision: .automatic, threads: 2)
    let expected = try inference.predict(0..<20)
    #expect(expected.count == 20)
    for number in [1, 7, 70] {
      for frame in 60..<60 + number { #expect(try inference.submit(frame: frame)) }
      inference.reset()
      var left: [Prediction] = []
      try inference.takePredictions(into: &left)
      #expect(left.isEmpty)
      #expect(difference(try inference.predict(0..<20), expected) == nil, "after \(number) frames")
    }
  }

  @Test("A stream without frames has no predictions")
  func empty() throws {
    let inference = try InferenceThread(folder: models, windowing: .windowed, precision: .automatic, threads: 1)
    var found: [Prediction] = []
    try inference.finish(into: &found)
    inference.reset()
    try inference.finish(into: &found)
    #expect(found.isEmpty)
  }

  @Test("Weights that are missing or damaged are an error that names the file")
  func unusable() throws {
    func error(_ folder: String) -> WeightsError? {
      do throws(TransNetError) {
        _ = try InferenceThread(folder: folder, windowing: .windowed, precision: .automatic, threads: 1)
      } catch {
        if case .weights(let reason) = error { return reason }
      }
      return nil
    }
    #expect(error("/nonexistent/models") == WeightsError(.notFound, path: "/nonexistent/models/config.json", "does not exist"))
    let folder = TemporaryFolder()
    for name in ["config.json", "model.safetensors"] {
      guard let file = fopen("\(folder.path)/\(name)", "wb") else { continue }
      let content = bytes(of: "\(models)/\(name)")
      fwrite(content, 1, name == "config.json" ? content.count : 1000, file)
      fclose(file)
    }
    #expect(error(folder.path)?.kind == .malformed)
    #expect(error(folder.path)?.path == folder.path + "/model.safetensors")
  }

  @Test("Threads end with what they belong to, at work too")
  func cycles() throws {
    // Other tests make and end threads at the same time: a few more are no leak.
    let before = try Self.threads()
    for cycle in 0..<12 {
      let inference = try InferenceThread(folder: models, windowing: .streaming(lookAhead: 50), precision: .automatic, threads: 4)
      for frame in 0..<cycle { #expect(try inference.submit(frame: frame)) }
    }
    // Each cycle has four.
    #expect(try Self.threads() < before + 40)
  }

  private static func threads() throws -> Int {
    let folder = try #require(opendir("/proc/self/task"))
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
