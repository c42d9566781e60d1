/// Shots that an application asked for.
public struct AskedShots: Hashable, Sendable {
  /// How many, without end if negative; nil for as many as are set.
  public var shots: Int?
  /// What they show; nil for what is set.
  public var prompts: [String]?

  /// - Parameter shots: any number below 0 is without end.
  public init(shots: Int?, prompts: [String]?) { (self.shots, self.prompts) = (shots, prompts) }

  /// More of them behind others that have not begun: the extension goes on for longer.
  public init(shots: Int, prompts: [String]?, after waiting: AskedShots?) {
    let before = waiting?.shots ?? 0
    self.init(shots: shots < 0 || before < 0 ? -1 : before &+ shots, prompts: prompts ?? waiting?.prompts)
  }

  /// The plan with this behind what it has.
  public func added(to plan: ShotPlan) -> ShotPlan {
    var plan = prompts.map { plan.replacing(prompts: $0) } ?? plan
    let more = shots ?? 0
    plan.shots = more < 0 || plan.shots < 0 ? -1 : plan.shots &+ more
    return plan
  }
}

/// What was asked for and has not begun.
enum ExtensionRequest: Hashable, Sendable {
  case none
  /// It begins with the next boundary.
  case atNextCut(AskedShots)
  /// It begins with the next frame.
  case due(AskedShots)

  var asked: AskedShots? {
    switch self {
    case .none: nil
    case .atNextCut(let asked), .due(let asked): asked
    }
  }
}
