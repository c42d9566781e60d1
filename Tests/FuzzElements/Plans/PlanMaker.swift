import CGStreamer

/// Draws plans.
struct PlanMaker {
  /// Chains that are drawn, and how often. What is not ours lies between ours where people put it.
  static let chains: [(Int, [String])] = [
    (10, ["shotdetect"]), (8, ["shotlog"]), (12, ["defade"]), (14, ["sceneextend"]), (4, ["shotclip"]),
    (6, ["shotdetect", "shotlog"]), (5, ["shotdetect", "defade"]), (6, ["shotdetect", "sceneextend"]),
    (4, ["shotdetect", "defade", "sceneextend"]), (3, ["shotdetect", "shotclip"]), (4, ["defade", "sceneextend", "shotlog"]),
    (3, ["shotdetect", "queue", "sceneextend", "shotlog"]), (2, ["shotdetect", "defade", "sceneextend", "shotclip"]),
    (2, ["shotdetect", "shotdetect"]), (2, ["sceneextend", "sceneextend"]), (2, ["defade", "defade"]),
    (2, ["shotdetect", "videoconvert", "shotlog"]),
  ]

  var dice: Dice
  var plan: Plan
  private var frame = 0
  private var isSound = false

  /// - Parameter element: only chains with this one; nil for all.
  static func plan(_ seed: UInt64, element: String?) -> Plan {
    var maker = PlanMaker(dice: Dice(seed), plan: Plan(seed: seed))
    maker.draw(element)
    return maker.plan
  }

  private init(dice: Dice, plan: Plan) {
    self.dice = dice
    self.plan = plan
  }

  private mutating func draw(_ element: String?) {
    let chains = element.map { name in Self.chains.filter { $0.1.contains(name) } } ?? Self.chains
    plan.chain = dice.weighted(chains.isEmpty ? [(1, [element ?? "shotdetect"])] : chains)
    drawEnds()
    setUp()
    for _ in 0..<dice.within(3...30) { plan.steps.append(step()) }
    // What most streams end with: a leak or a hang shows there.
    if dice.chance(40) { plan.steps.append(.event(.video, .endOfStream)) }
    if dice.chance(20) { plan.steps.append(.wait(milliseconds: dice.within(1...20))) }
    if dice.chance(25) {
      plan.steps += [.state(element: nil, dice.one(of: [1, 2])), .state(element: nil, dice.one(of: [3, 4]))]
      open(.video)
      for _ in 0..<dice.within(1...6) { plan.steps.append(step()) }
    }
  }

  private mutating func drawEnds() {
    plan.answers.isLive = dice.chance(30)
    if dice.chance(20) { plan.answers.latency = (dice.edge(), dice.edge()) }
    if dice.chance(30) { plan.answers.duration = dice.chance(50) ? dice.signed() : 10_000_000_000 }
    plan.answers.isSeekable = dice.chance(60)
    plan.hasClock = dice.chance(35)
    switch dice.below(10) {
    case 0: plan.taking = .untilStopped
    case 1: plan.taking = .refusing(after: dice.within(0...6), flow: dice.one(of: [-1, -2, -3, -4, -5, -6, 100, 1]))
    case 2, 3: plan.taking = .slowly
    default: plan.taking = .all
    }
  }

  /// Settings, the state and the events that a stream begins with; seldom something is missing.
  private mutating func setUp() {
    for index in plan.chain.indices {
      for _ in 0..<dice.below(5) { if let step = property(index) { plan.steps.append(step) } }
      // Else it goes on without end, or does nothing at all.
      if plan.chain[index] == "sceneextend", dice.chance(70) {
        plan.steps.append(.property(element: index, "shots", "\(dice.within(0...2))"))
        plan.steps.append(.property(element: index, "shot-duration", "\(dice.one(of: [40_000_000, 400_000_000, 1, 0]))"))
      }
      if plan.chain[index] == "shotclip" { plan.steps.append(.property(element: index, "location", "@/clip%05d.mkv")) }
    }
    if dice.chance(35) { plan.steps.append(.addSound) }
    plan.steps.append(.state(element: nil, dice.one(of: [4, 4, 4, 3])))
    open(.video)
    if dice.chance(35) { open(.sound) }
  }

  mutating func open(_ lane: Plan.Lane) {
    var opening: [Plan.Step] = [
      .event(lane, .streamStart("a")), .event(lane, .caps(lane == .video ? videoCaps() : soundCaps())), .event(lane, .segment(segment())),
    ]
    if dice.chance(6) { opening.remove(at: dice.below(opening.count)) }
    plan.steps += opening
    for _ in 0..<dice.below(5) { plan.steps.append(.frame(lane, buffer(lane))) }
  }

  private mutating func step() -> Plan.Step {
    let lane: Plan.Lane = dice.chance(80) ? .video : .sound
    switch dice.below(100) {
    case 0..<44: return .frame(lane, buffer(lane))
    case 44..<46: return .frames(lane, (0..<dice.within(1...4)).map { _ in buffer(lane) })
    case 46..<70: return .event(lane, event(lane))
    case 70..<75: return .upstream(lane, upstreamEvent())
    case 75..<83: return .query(lane, fromDownstream: dice.chance(60), query())
    case 83..<87: return property(dice.below(plan.chain.count)) ?? .wait(milliseconds: 1)
    // One element alone: only the last, since others would rightly wait for those behind them.
    case 87..<91: return .state(element: dice.chance(80) ? nil : plan.chain.count - 1, dice.one(of: [1, 2, 3, 3, 4, 4]))
    case 91..<93: return .addSound
    case 93..<94: return .removeSound
    case 94..<97:
      guard let index = plan.chain.firstIndex(of: "sceneextend") else { return .wait(milliseconds: 1) }
      return .signal(
        element: index, extend: dice.chance(70) ? dice.one(of: [1, 2, 0, -1, .max, .min]) : nil,
        dice.one(of: [nil, "", "A rabbit", "{[<|\u{7f}é"]))
    case 97: return .unlink(lane)
    case 98: return .link(lane)
    default: return .wait(milliseconds: dice.within(1...10))
    }
  }

  private mutating func property(_ index: Int) -> Plan.Step? {
    let properties = ElementProperties.of(plan.chain[index])
    guard !properties.isEmpty else { return nil }
    let (name, value) = properties[dice.below(properties.count)].draw(&dice)
    return .property(element: index, name, value)
  }

  // MARK: Buffers

  mutating func buffer(_ lane: Plan.Lane) -> Plan.Frame {
    if lane == .video { frame += 1 }
    var made = Plan.Frame(pts: dice.time(frame: frame), duration: dice.duration())
    if dice.chance(5) { made.dts = dice.time(frame: frame) }
    if dice.chance(12) { made.flags = 1 << UInt32(dice.within(4...22)) }
    made.brightness = dice.chance(70) ? UInt8(frame / 3 * 97 & 255) : UInt8(dice.below(256))
    switch dice.below(40) {
    case 0: made.memory = .none
    case 1: made.memory = .empty
    case 2: made.memory = .less(dice.one(of: [1, 2, 7, 16, 100, 5000]))
    case 3: made.memory = .more(dice.one(of: [1, 3, 64, 5000]))
    case 4: made.memory = .inParts(dice.within(2...20))
    case 5, 6: made.memory = .readOnly
    default: break
    }
    while dice.chance(18) { made.metas.append(lane == .video || dice.chance(10) ? videoMeta() : soundMeta()) }
    return made
  }

  private mutating func soundMeta() -> Plan.Meta {
    .sound(
      rate: dice.one(of: [8000, 48000, 1, .max]), channels: dice.one(of: [1, 2, 6]), samples: dice.one(of: [1, 100, 1920, 1 << 40, .max]),
      isPlanar: dice.chance(50))
  }

  private mutating func videoMeta() -> Plan.Meta {
    switch dice.below(10) {
    case 0, 1:
      return .video(
        format: dice.one(of: PlanMaker.formats), width: dice.one(of: PlanMaker.sides), height: dice.one(of: PlanMaker.sides),
        stride: dice.chance(40) ? dice.one(of: [0, 1, -1, -64, 4096, .max, .min]) : nil,
        offset: dice.chance(40) ? dice.one(of: [0, 1, 4096, 1 << 40, .max]) : nil,
        planes: dice.chance(30) ? dice.one(of: [0, 1, 2, 3, 4]) : nil)
    case 2: return soundMeta()
    case 3: return .crop(dice.one(of: [0, 1, 1000, .max]), 0, dice.one(of: [0, 1, 4, .max]), dice.one(of: [0, 2, .max]))
    case 4:
      return .timeCode(
        rate: dice.one(of: [(25, 1), (30000, 1001), (0, 1), (1, 0), (.max, 1)]), frames: dice.one(of: [0, 24, .max]),
        seconds: dice.one(of: [0, 59, .max]), hours: dice.one(of: [0, 23, .max]))
    case 5: return .custom("GstShotScoreMeta", score())
    case 6, 7: return .custom("GstShotTransitionMeta", "shot-transition, kind=(string)dissolve, progress=(double)\(text(dice.real()));")
    default: return .custom("GstShotBoundaryMeta", boundary())
    }
  }

  mutating func score() -> String {
    """
    shot-score, frame=(guint64)\(dice.edge()), stream-time=(guint64)\(dice.time(frame: frame)), \
    columns=(GstValueArray)<"a","b">, value-0=(double)\(text(dice.real())), value-1=(double)\(text(dice.real()));
    """
  }

  /// With fields that are likely, at the edge, of another type or missing.
  mutating func boundary() -> String {
    var fields = [
      "kind=(string)\(dice.one(of: ["cut", "fade", "dissolve", "wipe", "other"]))", "shot=(guint64)\(dice.chance(60) ? 2 : dice.edge())",
      "frame=(guint64)\(dice.chance(60) ? UInt64(frame) : dice.edge())", "pts=(guint64)\(dice.time(frame: frame))",
      "running-time=(guint64)\(dice.time(frame: frame))", "stream-time=(guint64)\(dice.time(frame: frame))",
      "transition-start=(guint64)\(dice.time(frame: max(0, frame - 3)))", "transition-end=(guint64)\(dice.time(frame: frame + 3))",
      "score=(double)\(text(dice.real()))", "detector=(string)fused",
    ]
    if dice.chance(30) { fields.append("color=(string)\(dice.one(of: ["black", "white", "red"]))") }
    if dice.chance(20) { fields += ["generated=(boolean)true", "generator=(string)x", "prompt=(string)y"] }
    if dice.chance(15) { fields.remove(at: dice.below(fields.count)) }
    if dice.chance(5) { fields.append("frame=(string)many") }
    return "shot-boundary, \(fields.joined(separator: ", "));"
  }

  func text(_ number: Double) -> String {
    number.isNaN ? "nan" : number.isInfinite ? (number < 0 ? "-inf" : "inf") : "\(number)"
  }

  var currentFrame: Int { frame }
}
