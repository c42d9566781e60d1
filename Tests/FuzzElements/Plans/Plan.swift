/// A sequence: a chain of elements, and what is done to it step by step. It follows from its seed alone.
struct Plan {
  /// Where data flow.
  enum Lane: Int, CaseIterable { case video, sound }

  /// What our end behind the elements does with buffers.
  enum Taking { case all, slowly, untilStopped, refusing(after: Int, flow: Int32) }

  /// What our end before the elements answers to queries.
  struct Answers {
    var isLive = false
    var latency: (least: UInt64, most: UInt64) = (0, .max)
    var duration: Int64 = -1
    var isSeekable = true
  }

  enum Memory { case whole, none, empty, less(Int), more(Int), inParts(Int), readOnly }

  enum Meta {
    case video(format: String, width: Int, height: Int, stride: Int32?, offset: UInt64?, planes: UInt32?)
    case sound(rate: Int32, channels: Int32, samples: UInt64, isPlanar: Bool)
    case crop(UInt32, UInt32, UInt32, UInt32)
    case timeCode(rate: (UInt32, UInt32), frames: UInt32, seconds: UInt32, hours: UInt32)
    /// Of a registered name; the fields in GStreamer's notation.
    case custom(String, String)
  }

  struct Frame {
    var memory = Memory.whole
    var pts: UInt64
    var dts = UInt64.max
    var duration: UInt64
    var flags: UInt32 = 0
    var brightness: UInt8 = 0
    var metas: [Meta] = []
  }

  struct Span {
    var format: UInt32
    var rate = 1.0
    var applied = 1.0
    var flags: UInt32 = 0
    var base: UInt64 = 0
    var offset: UInt64 = 0
    var start: UInt64 = 0
    var stop = UInt64.max
    var time: UInt64 = 0
    var position: UInt64 = 0
  }

  enum Event {
    case streamStart(String), caps(String), segment(Span), tags(String), flushStart, flushStop(reset: Bool), endOfStream
    case gap(UInt64, UInt64), segmentDone(UInt32, Int64), groupDone(UInt32), bufferSize(UInt32, Int64), toc, instantRate(Double)
    /// A GstEventType as a number, and a structure in GStreamer's notation.
    case custom(UInt32, String)
    case keyUnit(pts: UInt64, stream: UInt64, running: UInt64, count: UInt32)
    case seek(rate: Double, format: UInt32, flags: UInt32, startType: UInt32, Int64, stopType: UInt32, Int64)
    case qos(type: UInt32, Double, Int64, UInt64)
    case latency(UInt64), navigation, reconfigure, step(UInt32, UInt64, Double)
    case keyUnitUpstream(running: UInt64, count: UInt32)
  }

  enum Query {
    case duration(UInt32), position(UInt32), latency, caps(String?), acceptCaps(String), allocation(String, needsPool: Bool)
    case seeking(UInt32), segment, convert(UInt32, Int64, UInt32), formats, uri, scheduling, drain, context(String), buffering(UInt32)
    case custom(String)
  }

  enum Step {
    /// A text that GStreamer reads as the property's value; nil for no text.
    case property(element: Int, String, String?)
    /// Of all elements, or one.
    case state(element: Int?, Int)
    case frame(Lane, Frame), frames(Lane, [Frame])
    case event(Lane, Event), upstream(Lane, Event)
    /// To the elements' first pad, or their last.
    case query(Lane, fromDownstream: Bool, Query)
    case addSound, removeSound
    case signal(element: Int, extend: Int32?, String?)
    case unlink(Lane), link(Lane)
    case wait(milliseconds: Int)
  }

  var seed: UInt64
  var chain: [String] = []
  var answers = Answers()
  var taking = Taking.all
  var hasClock = false
  var steps: [Step] = []

  /// - Parameter kept: which of the steps, counted from 0, are left; nil for all.
  func reduced(to kept: [Int]?) -> Plan {
    guard let kept else { return self }
    var plan = self
    plan.steps = kept.filter { steps.indices.contains($0) }.map { steps[$0] }
    return plan
  }

  /// A line for the chain and one for each step.
  var lines: [String] {
    ["\(chain.joined(separator: " ! ")); ends: \(answers), \(taking), \(hasClock ? "with" : "without") a clock"]
      + steps.map { Plan.short("\($0)") }
  }
}
