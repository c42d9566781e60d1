import Threads

/// Runs a generator on a thread of its own, a bounded time ahead of what is shown.
///
/// ```swift
/// let producer = try ShotProducer(plan: plan, lead: 2_000_000_000) { _ in RephotographGenerator(seed: 1) }
/// producer.begin(context)
/// while case .shot(let shot) = producer.next(waits: true) {
///   // frame after frame, until shot.duration is over:
///   if case .picture(let picture) = producer.picture(at: elapsed, frame: number) { show(picture) }
/// }
/// producer.stop()
/// ```
///
/// One thread asks for shots and pictures; any thread may begin, cancel and stop. Memory: the pictures of `lead` and of one shot
/// more.
public final class ShotProducer: ShotSupply, Sendable {
  /// Makes the generator, on the producer's thread.
  public typealias Maker = @Sendable (_ check: @escaping ProgressCheck) throws -> any ShotGenerator

  private enum Content {
    case none
    case pictures([RGBPicture], rate: (numerator: Int, denominator: Int))
    case camera(RephotographedShot)
  }

  private struct Entry {
    let ready: Ready
    let round: UInt64
    var content = Content.none
    var isComplete = false

    var pictures: Int { if case .pictures(let pictures, _) = content { pictures.count } else { 0 } }

    var isEmpty: Bool { if case .camera = content { false } else { pictures == 0 } }
  }

  private struct State {
    var plan: ShotPlan
    /// Counts what was asked for; work for an older one is of no use.
    var round: UInt64 = 0
    var request: SceneContext?
    /// The first is the one that is shown if `isShowing`.
    var queue: [Entry] = []
    var isShowing = false
    /// Nanoseconds of the first that were shown.
    var elapsed: UInt64 = 0
    /// Nanoseconds of all shots that were begun since it was begun.
    var given: UInt64 = 0
    /// The shot of an older round that was shown, for this round not to show it again.
    var shown: UInt64?
    /// Pictures of the shot that is made.
    var pictures = 0
    var isOver = false
    var failure: (any Error)?
    /// Why there will never be a shot.
    var brokenBy: (any Error)?
    var shotDuration: UInt64?
    var isBegun = false
    var isStopping = false
    var isDone = false

    var ahead: UInt64 {
      let complete = queue.reduce(0) { $0 &+ ($1.isComplete ? $1.ready.duration : 0) }
      return isShowing ? complete - min(complete, elapsed) : complete
    }
  }

  private let state: Monitor<State>
  private let lead: UInt64
  private let steer: @Sendable (inout ShotPlan) -> Void
  private let report: @Sendable (Report) -> Void

  /// - Parameters:
  ///   - lead: nanoseconds of complete shots that are kept ready beyond what is shown.
  ///   - steer: may change the plan before each shot; on the producer's thread, so it may read files.
  ///   - report: at the beginning and the end of each shot, and about once a second between.
  ///   - make: makes the generator. If it fails, that is what `next(waits:)` gives.
  /// - Throws: what the system says if it gives no thread.
  public init(
    plan: ShotPlan, lead: UInt64, steer: @escaping @Sendable (inout ShotPlan) -> Void = { _ in },
    report: @escaping @Sendable (Report) -> Void = { _ in }, make: @escaping Maker
  ) throws {
    state = Monitor(State(plan: plan))
    self.lead = max(1, lead)
    self.steer = steer
    self.report = report
    try BackgroundThread { [self] in
      run(make)
      state.change { $0.isDone = true }
    }.detach()
  }

  // MARK: What is wanted

  /// Generates what follows this, from the plan's next shot on.
  ///
  /// - Parameters:
  ///   - plan: nil for the one that there is.
  ///   - keepsReady: a shot that is ready stays until its successor is, and is shown if somebody asks before.
  public func begin(_ context: SceneContext, plan: ShotPlan? = nil, keepsReady: Bool = false) {
    state.change { state in
      if keepsReady, state.isShowing { return }
      if let plan { state.plan = plan }
      state.round &+= 1
      state.request = context
      state.isBegun = true
      (state.isOver, state.failure, state.shown) = (false, nil, nil)
      if !keepsReady {
        state.queue.removeAll()
        (state.isShowing, state.elapsed) = (false, 0)
      } else {
        state.queue.removeAll { !$0.isComplete }
      }
      state.given = state.queue.reduce(0) { $0 &+ $1.ready.duration }
    }
  }

  /// Whether anything was begun that was not cancelled since.
  public var isBegun: Bool { state.change { $0.isBegun } }

  /// Whether a shot can be shown at once.
  public var isReady: Bool { state.change { $0.queue.first?.isComplete ?? false } }

  /// What comes behind the shot that is shown: nanoseconds that are ready, and whether that is all.
  public var following: (ready: UInt64, isAll: Bool) {
    var following: (ready: UInt64, isAll: Bool) = (0, false)
    state.changeQuietly { state in
      let behind = state.queue.dropFirst(state.isShowing ? 1 : 0)
      let ready = behind.prefix { $0.isComplete }
      following = (ready.reduce(0) { $0 &+ $1.ready.duration }, ready.count == behind.count && (state.isOver || state.plan.remaining == 0))
      return false
    }
    return following
  }

  /// Nanoseconds of as few of the shots behind the one that is shown as last so long; of all that are ready if those do not.
  public func following(lasting duration: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    state.changeQuietly { state in
      for entry in state.queue.dropFirst(state.isShowing ? 1 : 0) where sum < duration && entry.isComplete { sum &+= entry.ready.duration }
      return false
    }
    return sum
  }

  /// Whether every shot of the plan was given out.
  public var isOver: Bool { state.change { $0.isOver && $0.queue.isEmpty } }

  /// Whether no further shot will come, since one could not be generated.
  public var hasFailed: Bool { state.change { ($0.brokenBy ?? $0.failure) != nil } }

  /// What was begun is of no use any more: wakes who waits, and forgets it.
  public func cancel() {
    state.change { state in
      state.round &+= 1
      state.request = nil
      state.queue.removeAll()
      (state.isShowing, state.elapsed, state.isBegun, state.isOver, state.failure) = (false, 0, false, false, nil)
    }
  }

  /// Ends the thread. Waits a moment for it; work that cannot be interrupted so soon ends by itself later.
  public func stop() {
    state.change { state in
      state.isStopping = true
      state.round &+= 1
    }
    _ = state.wait(milliseconds: 150) { $0.isDone ? true : nil }
  }

  /// The plan from its next shot on; shots that are ready stay.
  public var plan: ShotPlan { state.change { $0.plan } }

  /// Changes the plan from its next shot on; one that was over goes on. `body` runs under the producer's lock.
  public func change(plan body: (inout ShotPlan) -> Void) {
    state.change { state in
      body(&state.plan)
      state.isOver = false
    }
  }

  /// Nanoseconds of all shots since it was begun, those to come included; nil if there is no end, or no generator yet.
  public var total: UInt64? {
    state.change { state in
      guard let own = state.shotDuration, let left = state.plan.remainingDuration(modelDuration: own) else { return nil }
      let (total, isTooLarge) = state.given.addingReportingOverflow(left)
      return isTooLarge ? nil : total
    }
  }

  /// Nanoseconds of a shot that nobody gave a length; nil until the generator is made.
  public var shotDuration: UInt64? { state.change { $0.shotDuration } }

  /// Nanoseconds that are ready and not shown.
  public var queued: UInt64 { state.change { $0.ahead } }

  // MARK: What is shown

  /// Ends the shot that is shown, and begins the next one.
  ///
  /// - Parameters:
  ///   - waits: until there is one; else the answer is `late`.
  ///   - whole: only one that is complete, so that none of its pictures is late.
  public func next(waits: Bool, whole: Bool = false) -> Next {
    state.change { state in
      if state.isShowing { state.queue.removeFirst() }
      (state.isShowing, state.elapsed) = (false, 0)
    }
    return state.wait { state in
      if state.isStopping || !state.isBegun { return .cancelled }
      if let first = state.queue.first, !first.isEmpty, first.isComplete || !whole {
        state.isShowing = true
        if first.round != state.round {
          // It was kept ready, and is shown now: what was to take its place is not needed.
          state.shown = first.ready.shot.index
          state.queue.removeAll { $0.round == state.round && $0.ready.shot.index <= first.ready.shot.index }
        }
        return .shot(first.ready)
      }
      if let failure = state.brokenBy ?? state.failure { return .failed(failure) }
      if state.isOver, state.queue.isEmpty { return .over }
      return waits ? nil : .late
    }
  }

  /// What the shot shows so many nanoseconds after its beginning, in its frame of this number; waits until that is known.
  public func picture(at elapsed: UInt64, frame: Int) -> Shown {
    state.changeQuietly { state in
      let wasAhead = state.ahead >= lead
      if state.isShowing { state.elapsed = max(state.elapsed, elapsed) }
      // The thread waits for this with the next shot.
      return wasAhead && state.ahead < lead
    }
    return state.wait { state in
      if state.isStopping || !state.isBegun { return .cancelled }
      guard state.isShowing, let entry = state.queue.first else { return .over }
      switch entry.content {
      case .camera(let shot): return .picture(.view(shot, frame: frame))
      case .pictures(let pictures, let rate):
        // Times are rounded to nanoseconds: a microsecond early is in time.
        let position = Double(elapsed &+ 1000) / 1e9 * Double(rate.numerator) / Double(rate.denominator)
        let index = Int(position)
        guard index < pictures.count else { break }
        // In full size a camera is seen to move, also between pictures: the next one is needed too.
        if pictures[index].detail != nil, index + 1 < pictures.count {
          return .picture(.between(pictures[index], pictures[index + 1], share: Int((position - Double(index)) * 256)))
        }
        let isLast = pictures[index].detail == nil || entry.isComplete || state.failure != nil
        return isLast ? .picture(.picture(pictures[index])) : nil
      case .none: break
      }
      return entry.isComplete || state.failure != nil ? .over : nil
    }
  }

  // MARK: The thread

  private func run(_ make: Maker) {
    let stopping: ProgressCheck = { [state] _, _ in if state.change({ $0.isStopping }) { throw GenerationFailure.cancelled } }
    let generator: any ShotGenerator
    do {
      generator = try make(stopping)
    } catch {
      state.change { $0.brokenBy = error }
      return
    }
    state.change { $0.shotDuration = generator.shotDuration }
    while let (context, round) = awaitRequest() {
      do {
        let ticker = Ticker { [self] in
          isCurrent(round)
        } tick: { [self] step, steps in
          report(
            Report(
              part: .context, shot: nil, generator: generator.name, step: step, steps: steps, pictures: 0, realTimeFactor: 0, queued: queued
            ))
        }
        try generator.begin(context, check: ticker.check)
        while isCurrent(round), try generate(with: generator, round) {}
      } catch {
        state.change { state in
          guard state.round == round else { return }
          state.failure = error
          if let last = state.queue.lastIndex(where: { $0.round == round }) { state.queue[last].isComplete = true }
          state.queue.removeAll { $0.isEmpty }
        }
      }
    }
  }

  private func isCurrent(_ round: UInt64) -> Bool { state.change { $0.round == round && !$0.isStopping } }

  private func awaitRequest() -> (SceneContext, UInt64)? {
    state.wait { state -> (SceneContext, UInt64)?? in
      if state.isStopping { return .some(nil) }
      guard let request = state.request else { return nil }
      state.request = nil
      return (request, state.round)
    }
  }

  /// Makes the next shot; false if there is none to make.
  private func generate(with generator: any ShotGenerator, _ round: UInt64) throws -> Bool {
    let isWanted: Bool = state.wait { state in
      if state.isStopping || state.round != round || state.request != nil { return false }
      if state.isOver { return nil }
      return state.ahead < lead || (state.queue.allSatisfy { $0.round != round }) ? true : nil
    }
    guard isWanted else { return false }
    var plan = state.change { $0.plan }
    let before = plan
    steer(&plan)
    let steered = plan != before
    let planned = state.change { state -> Entry? in
      guard state.round == round else { return nil }
      if steered { state.plan = plan }
      var next = state.plan.next()
      while let shot = next, let shown = state.shown, shot.index <= shown { next = state.plan.next() }
      guard let shot = next else {
        state.isOver = true
        return nil
      }
      let ready = Ready(shot: shot, duration: shot.duration ?? generator.shotDuration, generator: generator.name)
      let entry = Entry(ready: ready, round: round)
      state.queue.append(entry)
      state.given &+= ready.duration
      state.pictures = 0
      return entry
    }
    guard let planned else { return isCurrent(round) }
    let shot = planned.ready.shot
    let tell = { @Sendable [self] (part: Report.Part, step: Int, steps: Int, factor: Double) in
      let (pictures, queued) = state.change { state in (state.pictures, state.ahead) }
      report(
        Report(
          part: part, shot: shot, generator: planned.ready.generator, step: step, steps: steps, pictures: pictures, realTimeFactor: factor,
          queued: queued))
    }
    let ticker = Ticker { [self] in
      isCurrent(round)
    } tick: {
      tell(.generating, $0, $1, 0)
    }
    tell(.generating, 0, 1, 0)
    let start = monotonicTime()
    try generator.generate(shot, duration: planned.ready.duration, check: ticker.check) { add($0, round) }
    let factor = Double(planned.ready.duration) / Double(max(1, monotonicTime() - start))
    state.change { state in
      guard state.round == round else { return }
      // It may have been shown, as far as it was, and be gone.
      guard let last = state.queue.lastIndex(where: { $0.round == round }) else { return }
      state.queue[last].isComplete = true
      // What was ready before is out of date now, unless it is shown.
      if !state.isShowing { state.queue.removeAll { $0.round != round } }
    }
    tell(.generated, 1, 1, factor)
    return isCurrent(round)
  }

  private func add(_ piece: ShotPiece, _ round: UInt64) {
    state.change { state in
      guard state.round == round, let last = state.queue.lastIndex(where: { $0.round == round }) else { return }
      if case .pictures(let new, _) = piece { state.pictures += new.count }
      switch (piece, state.queue[last].content) {
      case (.camera(let shot), _): state.queue[last].content = .camera(shot)
      case (.pictures(let new, let rate), .pictures(let old, _)): state.queue[last].content = .pictures(old + new, rate: rate)
      case (.pictures(let new, let rate), _): state.queue[last].content = .pictures(new, rate: rate)
      }
    }
  }
}
