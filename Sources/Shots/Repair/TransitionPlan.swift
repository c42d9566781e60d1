/// The gradual transitions of a stream that are to go, as they become known, and where each frame lies in them.
///
/// Times are stream times in nanoseconds. Transitions never overlap: one that begins before the last one ended begins at
/// its end. Cost: a walk through those that are not dropped yet, of which there are seldom more than one.
public struct TransitionPlan {
  /// One transition.
  public struct Transition: Hashable, Sendable {
    /// As the detector told it.
    public var boundary: Boundary
    /// Whether an encoder is to be asked for a key frame at the cut.
    public var forcesKeyUnit: Bool
    /// Last clean frame of the old shot.
    public var start: UInt64
    /// First clean frame of the new shot; `nil` if nothing followed.
    public var end: UInt64?
    /// Where the hard cut goes that takes its place.
    public var middle: UInt64?
    /// Whether its end was looked for in the pictures.
    public fileprivate(set) var isMeasured = false
    /// Whether the cut has been told.
    var isMarked = false

    fileprivate mutating func center() { middle = end.map { start + ($0 - start + 1) / 2 } }

    /// Whether a frame lies in the part that belongs to the old shot.
    public func isOld(_ streamTime: UInt64) -> Bool { middle.map { streamTime < $0 } ?? true }
  }

  /// What goes; the rest stays as it is.
  public var kinds: Set<BoundaryKind>
  /// How much longer than the detector says a transition is on each side.
  public var margin: UInt64
  /// Those that are not over, or whose cut has not been told, in order.
  public private(set) var transitions: [Transition] = []
  private var lastEnd: UInt64 = 0

  /// - Parameter margin: nanoseconds.
  public init(kinds: Set<BoundaryKind>, margin: UInt64 = 0) {
    self.kinds = kinds
    self.margin = margin
  }

  /// Whether it is gradual, of a kind that goes, and tells where it begins.
  public func treats(_ boundary: Boundary) -> Bool {
    boundary.kind != .cut && kinds.contains(boundary.kind) && boundary.transitionStart != nil
  }

  /// Takes a boundary that it treats.
  public mutating func add(_ boundary: Boundary, forcesKeyUnit: Bool = false) {
    guard treats(boundary), let start = boundary.transitionStart else { return }
    // Half a millisecond less: times are rounded, and a frame that is just within the margin is meant.
    let margin = margin > FrameTime.slack ? margin &- FrameTime.slack : 0
    let first = max(start < margin ? 0 : start - margin, lastEnd)
    var end = boundary.transitionEnd
    if let known = end { end = max(known.addingReportingOverflow(margin).partialValue, first) }
    var transition = Transition(boundary: boundary, forcesKeyUnit: forcesKeyUnit, start: first, end: end)
    transition.center()
    transitions.append(transition)
    lastEnd = end ?? .max
  }

  /// Has the newest transition begin earlier, but not inside the one before it.
  public mutating func widen(start: UInt64) {
    guard let last = transitions.indices.last else { return }
    let before = last > 0 ? transitions[last - 1].end ?? .max : 0
    transitions[last].start = min(transitions[last].start, max(start, before))
    transitions[last].center()
  }

  /// Has the transition that begins at `start` end later, but not inside the one after it; its end is final then.
  public mutating func widen(start: UInt64, end: UInt64?) {
    guard let index = transitions.firstIndex(where: { $0.start == start }) else { return }
    transitions[index].isMeasured = true
    guard let end, let known = transitions[index].end, end > known else { return }
    let after = index + 1 < transitions.count ? transitions[index + 1].start : .max
    transitions[index].end = max(known, min(end, after))
    transitions[index].center()
    if index + 1 == transitions.count { lastEnd = transitions[index].end ?? .max }
  }

  /// The transition that a frame lies in.
  public func transition(at streamTime: UInt64?) -> Transition? {
    guard let streamTime else { return nil }
    return transitions.first { $0.start < streamTime && streamTime < $0.end ?? .max }
  }

  /// Moves the hard cut of the transition that begins at `start`.
  public mutating func move(start: UInt64, middle: UInt64) {
    if let index = transitions.firstIndex(where: { $0.start == start }) { transitions[index].middle = middle }
  }

  /// A frame leaves. Returns the transitions whose cut is due with it, each once, and drops those that are over.
  ///
  /// - Parameter atEnd: the cut is where the transition ends, not in its middle.
  public mutating func leave(at streamTime: UInt64, atEnd: Bool) -> [Transition] {
    guard !transitions.isEmpty else { return [] }
    var due: [Transition] = []
    for index in transitions.indices where !transitions[index].isMarked {
      guard let place = atEnd ? transitions[index].end : transitions[index].middle, place <= streamTime else { continue }
      transitions[index].isMarked = true
      due.append(transitions[index])
    }
    transitions.removeAll { $0.isMarked && $0.end ?? .max <= streamTime }
    return due
  }

  /// After a flush or a barrier: kinds and margin stay.
  public mutating func removeAll() {
    transitions.removeAll()
    lastEnd = 0
  }
}
