import CGStreamer
import Threads
import Timing

/// What the threads of a `LanedElement` share, under its one lock.
///
/// Hold it for decisions only, never while anything is pushed, posted or asked of others' pads.
public final class Lanes<Machine>: Sendable {
  /// How one lane flows.
  private struct Lane {
    var flow = GST_FLOW_OK
    var isFlushing = false
    /// A thread pushes into it.
    var isPushing = false
    /// A pad of it is given back.
    var isLeaving = false
  }

  /// What is under the lock.
  public struct State {
    /// What decides.
    public var machine: Machine
    private var lanes = [Lane(), Lane()]
    /// From PAUSED→READY on: every wait has to end.
    public fileprivate(set) var isStopping = false
    fileprivate var hasAsked = false

    fileprivate init(_ machine: Machine) { self.machine = machine }

    /// Whether nothing can leave: the element stops, the lane flushes, or downstream takes no more.
    public func isOver(_ lane: StreamLane) -> Bool { isClosed(lane) || lanes[lane.rawValue].flow != GST_FLOW_OK }

    /// Whether the element stops or the lane flushes.
    public func isClosed(_ lane: StreamLane) -> Bool { isStopping || lanes[lane.rawValue].isFlushing || lanes[lane.rawValue].isLeaving }

    /// What upstream gets to hear of a lane that takes nothing.
    public func refusal(_ lane: StreamLane) -> GstFlowReturn { isClosed(lane) ? GST_FLOW_FLUSHING : flow(lane) }

    /// What downstream said last of a thread's pushes.
    public func flow(_ lane: StreamLane) -> GstFlowReturn { lanes[lane.rawValue].flow }

    /// Downstream takes no more.
    public mutating func refuse(_ lane: StreamLane, _ flow: GstFlowReturn) { lanes[lane.rawValue].flow = flow }

    /// Whether a thread pushes into a lane: another one waits for its end.
    public func isPushing(_ lane: StreamLane) -> Bool { lanes[lane.rawValue].isPushing }

    /// A thread is about to push.
    public mutating func push(_ lane: StreamLane) { lanes[lane.rawValue].isPushing = true }

    /// It has.
    public mutating func pushed(_ lane: StreamLane) { lanes[lane.rawValue].isPushing = false }

    fileprivate mutating func setFlushing(_ lane: StreamLane, _ isFlushing: Bool) { lanes[lane.rawValue].isFlushing = isFlushing }

    fileprivate mutating func setLeaving(_ lane: StreamLane, _ isLeaving: Bool) { lanes[lane.rawValue].isLeaving = isLeaving }

    fileprivate mutating func reset(_ lane: StreamLane) {
      lanes[lane.rawValue].flow = GST_FLOW_OK
      lanes[lane.rawValue].isPushing = false
    }
  }

  private let monitor: Monitor<State>
  /// How often each lane's thread was started, and a lock for starts and rests: a thread that has found nothing to do does not rest
  /// when it has been started since.
  private let rounds = [Monitor<UInt64>(0), Monitor<UInt64>(0)]
  /// The wait of a lane's thread for the pipeline's clock.
  public let clock = ClockWait()

  /// The machine counts until the element starts, which brings another.
  public init(_ machine: Machine) { monitor = Monitor(State(machine)) }

  /// Changes the state and wakes who waits.
  public func change<Result>(_ body: (inout State) -> Result) -> Result { monitor.change(body) }

  /// Changes the state, and wakes who waits only if `body` says so: for what happens often and seldom matters to others.
  public func changeQuietly(_ body: (inout State) -> Bool) { monitor.changeQuietly(body) }

  /// Waits until `body` has a result; it is asked at once and after each change.
  public func wait<Result>(_ body: (inout State) -> Result?) -> Result { monitor.wait(body) }

  /// The same for about so long at most; nil if there is none by then.
  public func wait<Result>(milliseconds: Int, _ body: (inout State) -> Result?) -> Result? {
    monitor.wait(milliseconds: milliseconds, body)
  }

  /// From READY to PAUSED: everything begins anew.
  ///
  /// - Parameter isLinked: whether each lane has a pad that data leave by.
  func start(_ machine: Machine, isLinked: [Bool]) {
    monitor.change { state in
      state = State(machine)
      for (lane, isLinked) in zip(StreamLane.allCases, isLinked) where !isLinked { state.refuse(lane, GST_FLOW_NOT_LINKED) }
    }
  }

  /// There is a pad now that data leave by.
  func join(_ lane: StreamLane) { monitor.change { if $0.flow(lane) == GST_FLOW_NOT_LINKED { $0.refuse(lane, GST_FLOW_OK) } } }

  /// Wakes every wait for good.
  func stop() {
    monitor.change { $0.isStopping = true }
    clock.wake()
  }

  func setFlushing(_ lane: StreamLane, _ isFlushing: Bool) {
    monitor.change { $0.setFlushing(lane, isFlushing) }
    if isFlushing { clock.wake() }
  }

  /// A pad of the lane is given back: every wait there ends.
  func leave(_ lane: StreamLane) {
    monitor.change { $0.setLeaving(lane, true) }
    clock.wake()
  }

  /// It is gone. In one step, so that none who waited finds the lane open again.
  ///
  /// - Parameter isLinked: whether there is a pad still that data leave by.
  func left(_ lane: StreamLane, isLinked: Bool, _ body: (inout Machine) -> Void) {
    monitor.change { state in
      state.setLeaving(lane, false)
      state.reset(lane)
      if !isLinked { state.refuse(lane, GST_FLOW_NOT_LINKED) }
      body(&state.machine)
    }
  }

  /// Starts a lane's thread, or has it go on.
  func begin(_ lane: StreamLane, _ start: () -> Void) {
    rounds[lane.rawValue].change { round in
      round &+= 1
      start()
    }
  }

  /// How often a lane's thread was started.
  func round(_ lane: StreamLane) -> UInt64 { rounds[lane.rawValue].change { $0 } }

  /// Has a lane's thread rest, unless it was started again since a round.
  func rest(_ lane: StreamLane, since round: UInt64, _ pause: () -> Void) {
    rounds[lane.rawValue].change { if $0 == round { pause() } }
  }

  /// Once from start to stop.
  func isFirstToAsk() -> Bool {
    monitor.change { state in
      defer { state.hasAsked = true }
      return !state.hasAsked
    }
  }

  func reset(_ lane: StreamLane, _ body: (inout Machine) -> Void) {
    monitor.change { state in
      state.reset(lane)
      body(&state.machine)
    }
  }
}
