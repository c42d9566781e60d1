import Extension
import Synchronization
import Testing

/// Pictures of one level, four a shot, as fast as a test lets it.
private final class SlowGenerator: ShotGenerator {
  /// What a test sees and says.
  final class Gate: Sendable {
    private let state = Mutex<(open: Int, prompts: [String], begun: Int)>((.max, [], 0))
    init(open: Int = .max) { state.withLock { $0.open = open } }
    var prompts: [String] { state.withLock { $0.prompts } }
    var begun: Int { state.withLock { $0.begun } }
    func open(_ count: Int) { state.withLock { $0.open = count } }
    fileprivate func begin() { state.withLock { $0.begun += 1 } }
    fileprivate func made(_ prompt: String) { state.withLock { $0.prompts.append(prompt) } }
    fileprivate var isOpen: Bool { state.withLock { $0.prompts.count < $0.open } }
  }

  let name = "slow"
  let shotDuration: UInt64 = 500_000_000
  private let gate: Gate
  private let failsAfter: Int

  init(_ gate: Gate, failsAfter: Int = .max) { (self.gate, self.failsAfter) = (gate, failsAfter) }

  func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws { gate.begin() }

  func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
    while !gate.isOpen { try check(0, 1) }
    if gate.prompts.count >= failsAfter { throw GenerationFailure.noPictures }
    let bytes = [UInt8](repeating: UInt8(shot.index % 256), count: RGBPicture.stride(width: 2) * 2)
    gate.made(shot.prompt)
    emit(.pictures((0..<4).compactMap { _ in RGBPicture(width: 2, height: 2, bytes: bytes) }, rate: (8, 1)))
  }
}

/// Two pictures a shot, with detail, 8 a second.
private final class DetailedGenerator: ShotGenerator {
  let name = "detailed"
  let shotDuration: UInt64 = 250_000_000

  func begin(_ context: SceneContext, check: @escaping ProgressCheck) throws {}

  func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
    guard let base = picture(4, 4, { _, _ in 90 }) else { throw GenerationFailure.noPictures }
    for level in [UInt8(10), 20] {
      let bytes = [UInt8](repeating: level, count: RGBPicture.stride(width: 2) * 2)
      guard let small = RGBPicture(width: 2, height: 2, bytes: bytes) else { continue }
      let view = CameraView(x: 0, y: 0, width: 4, height: 4)
      let detail = PictureDetail(
        base: base, view: view, drawn: small, likeness: small, colors: .init(red: 0.299, blue: 0.114, range: .full))
      if let made = RGBPicture(width: 2, height: 2, bytes: bytes, detail: detail) { emit(.pictures([made], rate: (8, 1))) }
    }
  }
}

@Suite("Shots made ahead", .timeLimit(.minutes(1))) struct ShotProducerTests {
  private let context = SceneContext(clips: [], album: ShotAlbum(), width: 2, height: 2, frameRate: (25, 1))

  private func producer(_ gate: SlowGenerator.Gate, shots: Int = 3, lead: UInt64 = 1, failsAfter: Int = .max) throws -> ShotProducer {
    var plan = ShotPlan(prompts: ["A", "B"])
    plan.shots = shots
    return try ShotProducer(plan: plan, lead: lead) { _ in SlowGenerator(gate, failsAfter: failsAfter) }
  }

  @Test("Between pictures with detail is what lies between them, and the last one stands")
  func between() throws {
    var plan = ShotPlan()
    plan.shots = 1
    let producer = try ShotProducer(plan: plan, lead: 1) { _ in DetailedGenerator() }
    producer.begin(context)
    guard case .shot = producer.next(waits: true) else { return #expect(Bool(false), "a shot") }
    for (elapsed, share) in [(UInt64(0), 0), (31_250_000, 64), (62_500_000, 128)] {
      guard case .picture(.between(let first, let second, let found)) = producer.picture(at: elapsed, frame: 0) else {
        return #expect(Bool(false), "between at \(elapsed)")
      }
      #expect(first.bytes[0] == 10 && second.bytes[0] == 20 && found == share)
    }
    guard case .picture(.picture(let last)) = producer.picture(at: 187_500_000, frame: 0) else {
      return #expect(Bool(false), "the last one")
    }
    #expect(last.bytes[0] == 20)
    guard case .over = producer.picture(at: 250_000_000, frame: 0) else { return #expect(Bool(false), "it is over") }
  }

  /// Prompts of the shots that are shown, to the end.
  private func show(_ producer: ShotProducer) -> [String] {
    var prompts: [String] = []
    while case .shot(let shot) = producer.next(waits: true) { prompts.append(shot.shot.prompt) }
    return prompts
  }

  @Test("Shots come in the plan's order, with its end")
  func order() throws {
    let producer = try producer(.init())
    producer.begin(context)
    #expect(producer.isBegun)
    #expect(show(producer) == ["A", "B", "B"])
    guard case .over = producer.next(waits: true) else { return #expect(Bool(false), "it is over") }
    #expect(producer.total == 1_500_000_000)
    producer.stop()
  }

  @Test("What is late is said to be, and cancelling wakes who waits")
  func late() throws {
    let gate = SlowGenerator.Gate(open: 0)
    let producer = try producer(gate)
    producer.begin(context)
    guard case .late = producer.next(waits: false) else { return #expect(Bool(false), "nothing is ready") }
    producer.cancel()
    guard case .cancelled = producer.next(waits: true) else { return #expect(Bool(false), "nothing is wanted") }
    producer.stop()
  }

  @Test("It stays ahead by the lead and no more")
  func lead() throws {
    let gate = SlowGenerator.Gate()
    let producer = try producer(gate, shots: -1, lead: 1_200_000_000)
    producer.begin(context)
    while producer.queued < 1_500_000_000 {}
    #expect(gate.prompts.count == 3 && producer.total == nil)
    guard case .shot = producer.next(waits: true) else { return #expect(Bool(false), "one is ready") }
    _ = producer.picture(at: 400_000_000, frame: 10)
    _ = producer.next(waits: true)
    while gate.prompts.count < 4 {}
    producer.stop()
  }

  @Test("A failure is told after the shots before it")
  func failure() throws {
    let producer = try producer(.init(), shots: 5, failsAfter: 2)
    producer.begin(context)
    #expect(show(producer) == ["A", "B"])
    guard case .failed(GenerationFailure.noPictures) = producer.next(waits: true) else { return #expect(Bool(false), "it failed") }
    producer.stop()
  }

  @Test("A shot kept ready is shown once, in the place of the one that was to follow it")
  func kept() throws {
    let gate = SlowGenerator.Gate(open: 1)
    let producer = try producer(gate, shots: 2)
    producer.begin(context, keepsReady: true)
    while !producer.isReady {}
    var plan = ShotPlan(prompts: ["A", "B"])
    plan.shots = 2
    producer.begin(context, plan: plan, keepsReady: true)
    guard case .shot(let first) = producer.next(waits: true) else { return #expect(Bool(false), "it is ready") }
    #expect(first.shot.prompt == "A")
    gate.open(.max)
    #expect(show(producer) == ["B"])
    producer.stop()
  }
}
