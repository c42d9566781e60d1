import Dispatch
import Extension
import Testing

@Suite("Shots ahead") struct ShotsAheadTests {
  /// A picture a second, three a shot; tells when it begins one.
  private final class Painter: ShotGenerator {
    let name = "painter"
    let shotDuration: UInt64 = 3_000_000_000
    let begun: DispatchSemaphore

    init(begun: DispatchSemaphore) { self.begun = begun }

    func begin(_ context: SceneContext, check: @escaping ProgressCheck) {}

    func generate(_ shot: PlannedShot, duration: UInt64, check: @escaping ProgressCheck, emit: (ShotPiece) -> Void) throws {
      begun.signal()
      let bytes = [UInt8](repeating: 0, count: RGBPicture.stride(width: 2) * 2)
      for _ in 0..<3 {
        if let picture = RGBPicture(width: 2, height: 2, bytes: bytes) { emit(.pictures([picture], rate: (1, 1))) }
      }
    }
  }

  @Test("The next shot is begun while one is shown, as soon as less than the lead is ready", .timeLimit(.minutes(1)))
  func ahead() throws {
    let begun = DispatchSemaphore(value: 0)
    let producer = try ShotProducer(plan: ShotPlan(prompts: [] as [String]), lead: 2_000_000_000) { _ in Painter(begun: begun) }
    defer { producer.stop() }
    producer.begin(SceneContext(clips: [], album: ShotAlbum(), width: 2, height: 2, frameRate: (1, 1)))
    for round in 0..<5 {
      guard case .shot = producer.next(waits: true, whole: true) else {
        Issue.record("no shot \(round)")
        return
      }
      #expect(begun.wait(timeout: .now() + 20) == .success)
      for second in 0..<3 {
        guard case .picture = producer.picture(at: UInt64(second) * 1_000_000_000, frame: second) else {
          Issue.record("no picture \(second) of shot \(round)")
          return
        }
      }
      // Nothing else is asked of the producer meanwhile.
      #expect(begun.wait(timeout: .now() + 20) == .success, "shot \(round + 1) waits for the end of shot \(round)")
      begun.signal()
    }
  }
}
