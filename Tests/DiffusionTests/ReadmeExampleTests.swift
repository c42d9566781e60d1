import Diffusion
import Tensors
import Testing

/// A shot of a prompt, in frames `[T, H, W, 3]` of about −1…1 that are shown as they are decoded.
private func generate(
  _ prompt: String, model folder: String, frames: Int = 49, height: Int = 480, width: Int = 720, seed: UInt64 = 0,
  isStopped: @escaping () -> Bool, show: (Frames) throws -> Void
) throws {
  let pipeline = try VideoPipeline(folder: folder, compute: Compute(threads: 2))
  var request = VideoRequest(shots: .separate([frames]), height: height, width: width, prompts: [prompt])
  request.seed = seed
  let check: GenerationCheck = { progress in
    // Before each block of a network: progress.part, and progress.step of progress.steps.
    if isStopped() { throw DiffusionError.cancelled }
  }
  try pipeline.generate(request, check: check) { _, frames in try show(frames) }
}

extension VideoPipeline {
  /// The shot after some others, with a model of Mask²DiT: a prompt for each of them and one for the new shot, the video's `number`th.
  fileprivate func extend(_ shots: [Frames], prompts: [String], number: UInt32, show: (Frames) throws -> Void) throws {
    guard let last = shots.last else { return }
    var request = VideoRequest(shots: .separate([last.count]), height: last.height, width: last.width, prompts: prompts)
    request.context = shots
    request.control = .mask2dit(.v2)
    request.segment = number
    try generate(request) { _, frames in try show(frames) }
  }

  /// A video with a cut, with any model: a caption a shot, and one for all of it.
  fileprivate func cut(
    _ captions: [String], of frames: Int, at cut: Double, height: Int, width: Int, show: (Frames) throws -> Void
  ) throws {
    var request = VideoRequest(shots: .cut(frames: frames, at: [cut]), height: height, width: width, prompts: captions)
    let layers = CineTrans.publishedLayers(of: transformer.configuration.layers)
    request.control = .cineTrans(CineTrans(layers: layers))
    for cut in try cuts(request) { print("a cut at \(cut.got), the frame nearest to \(cut.asked) that can have one") }
    try generate(request) { _, frames in try show(frames) }
  }
}

@Suite("The documentation's examples")
struct ReadmeExampleTests {
  let folder = PipelineFolder()

  @Test("They are what is compiled here")
  func text() throws {
    func plain(_ text: String) -> String {
      text.replacing("fileprivate ", with: "").replacing("private ", with: "").split(separator: "\n").joined(separator: "\n")
    }
    let here = plain(String(decoding: try bytes(#filePath), as: UTF8.self))
    let examples = try readmeBlocks().filter { $0.language == "swift" }.map(\.text)
    #expect(examples.count == 2)
    for example in examples {
      let body = plain(example).replacing("import Diffusion\nimport Tensors\n", with: "")
      #expect(body.contains("func ") && here.contains(body))
    }
  }

  @Test("A shot is generated, the same for one seed, until it is stopped")
  func generated() throws {
    func planes(seed: UInt64) throws -> [Float] {
      var planes: [Float] = []
      try generate("A hare wakes up.", model: folder.path, frames: 9, height: 16, width: 48, seed: seed, isStopped: { false }) {
        planes += $0.planes()
      }
      return planes
    }
    let first = try planes(seed: 1)
    #expect(first.count == 3 * 9 * 16 * 48)
    #expect(difference(try planes(seed: 1), from: first) == 0)
    #expect(difference(try planes(seed: 2), from: first) > 0.01)
    #expect(throws: DiffusionError.cancelled) {
      try generate("A hare wakes up.", model: folder.path, frames: 9, height: 16, width: 48, isStopped: { true }) { _ in }
    }
  }

  @Test("Shots are extended, and videos with cuts have all of their frames")
  func more() throws {
    let pipeline = try folder.pipeline()
    var counts: [Int] = []
    let context = [try folder.frames("context", 0), try folder.frames("context", 1)]
    try pipeline.extend(context, prompts: PipelineTests.prompts, number: 2) { counts.append($0.count) }
    #expect(counts == [9])
    counts = []
    try pipeline.cut(PipelineTests.prompts, of: 17, at: 9, height: 16, width: 48) { counts.append($0.count) }
    #expect(counts == [9, 8])
  }
}
