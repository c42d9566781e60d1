import Diffusion
import Extension
import Glibc
import Pixels
import Tensors
import Testing

@Suite("Shots of a model that goes on from frames", .enabled(if: access(root + "/models/all-MiniLM-L6-v2/config.json", R_OK) == 0))
struct DiffusionGeneratorTests {
  static let (width, height) = (224, 128)
  private let colors = PictureDetail.Colors(red: 0.2126, blue: 0.0722, range: .limited)

  /// Two shots that move to the right, with the end of the second in full size.
  private func context(_ model: SceneModel, end: ShotEnd?, colors: PictureDetail.Colors?) -> SceneContext {
    let clip = (0..<model.frames).compactMap { frame -> RGBPicture? in
      var bytes = [UInt8](repeating: 0, count: RGBPicture.stride(width: model.width) * model.height)
      for y in 0..<model.height {
        for x in 0..<3 * model.width { bytes[y * RGBPicture.stride(width: model.width) + x] = waves(Double(x / 3 + frame), Double(y)) }
      }
      return RGBPicture(width: model.width, height: model.height, bytes: bytes)
    }
    return SceneContext(
      clips: [ContextClip(frames: clip), ContextClip(frames: clip, end: end)], colors: colors, album: ShotAlbum(), width: Self.width,
      height: Self.height, frameRate: (25, 1))
  }

  private func frame(_ model: SceneModel) throws -> PlanarPicture {
    try #require(picture(Self.width, Self.height) { x, y in waves(Double(x) / 2 + Double(model.frames - 1), Double(y) / 2) })
  }

  private func pictures(_ generator: DiffusionGenerator, prompt: String = "", clips: UInt64 = 1) throws -> [RGBPicture] {
    var pictures: [RGBPicture] = []
    var plan = ShotPlan(prompts: [prompt])
    let next = plan.next()
    let shot = try #require(next)
    try generator.generate(shot, duration: clips * generator.shotDuration, check: { _, _ in }) {
      if case .pictures(let some, _) = $0 { pictures += some }
    }
    return pictures
  }

  private func open() throws -> DiffusionGenerator {
    DiffusionGenerator(try SceneExtension(folder: root + "/models/scene-small", compute: Compute(threads: 2)))
  }

  private func paint(_ detail: PictureDetail?) throws -> [UInt8] {
    let (detail, canvas) = (try #require(detail), Canvas(Self.width, Self.height))
    #expect(canvas.draw { DetailPainter().paint(detail, to: $0) } == true)
    return canvas.luma
  }

  @Test("In a shot of several clips each goes on from where the camera was at the end of the one before")
  func clips() throws {
    let generator = try open()
    let model = generator.model
    try generator.begin(context(model, end: .frame(frame(model)), colors: colors), check: { _, _ in })
    let pictures = try pictures(generator, clips: 2)
    #expect(pictures.count == 2 * model.frames && pictures.allSatisfy { $0.detail != nil })
    #expect(pictures.indices.filter { pictures[$0].start != nil } == [model.frames])
    let (last, first) = (pictures[model.frames - 1], pictures[model.frames])
    let (start, next) = (try #require(first.start), try #require(first.detail))
    #expect(try PictureDetail(#require(last.detail), next, share: 128) == nil, "they go on from other frames")
    // The same picture, over the frame that the second clip goes on from.
    #expect(try difference(paint(last.detail), paint(start)) < 0.5)
    let between = try paint(PictureDetail(start, next, share: 128))
    let moved = try difference(paint(start), paint(next))
    #expect(moved > 1)
    #expect(try difference(paint(start), between) > moved / 4 && difference(between, paint(next)) > moved / 4)
  }

  @Test(
    "A model that draws no new scenes goes on, unless a prompt asks for one",
    arguments: [
      ("", true), ("A hare wakes up", true), ("Same shot: A hare wakes up", true), ("Next scene: A hare wakes up", false),
    ])
  func scenes(prompt: String, goesOn: Bool) throws {
    let generator = try open()
    #expect(!generator.model.drawsNewScenes)
    try generator.begin(context(generator.model, end: .frame(frame(generator.model)), colors: colors), check: { _, _ in })
    #expect(try pictures(generator, prompt: prompt).allSatisfy { ($0.detail != nil) == goesOn })
  }

  @Test("A generated end in colours that the stream has no more is nothing to draw on")
  func colours() throws {
    let generator = try open()
    let model = generator.model
    try generator.begin(context(model, end: .frame(frame(model)), colors: colors), check: { _, _ in })
    let detail = try #require(try pictures(generator).last?.detail)
    for (now, isKnown) in [(colors, true), (PictureDetail.Colors(red: 0.299, blue: 0.114, range: .limited), false), (nil, false)] {
      try generator.begin(context(model, end: .generated(detail), colors: now), check: { _, _ in })
      #expect(try pictures(generator).allSatisfy { ($0.detail != nil) == isKnown })
    }
  }
}
