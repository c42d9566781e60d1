import CGStreamer
import GStreamerKit
import Synchronization
import Timing

/// A filter with a property of every kind and signals of both.
final class Kinds: PassthroughVideoFilter {
  static let description = ElementDescription(
    factory: "kitkinds", typeName: "GstKitKinds", longName: "Every kind", klass: "Filter/Video", summary: "Has every kind of property",
    author: "Tests", pads: PadTemplate.filter(caps: PadTemplate.rawVideo()))

  enum Mode: String, PropertyEnumeration {
    case first, second, third

    static let typeName = "GstKitKindsMode"
    var blurb: String { "The \(rawValue) mode" }
  }

  enum Color: String, PropertyEnumeration {
    case red, green, blue

    static let typeName = "GstKitKindsColors"
    var blurb: String { "\(rawValue) light" }
  }

  struct Settings: Defaultable {
    var flag = true
    var int = Int32(-3)
    var uint = UInt32(7)
    var int64 = Int64(-5_000_000_000)
    var time = ClockTime.milliseconds(600)
    var double = 0.5
    var optional: Double?
    var rate: Rate?
    var text: String? = "nothing"
    var words = ["one", "two"]
    var mode = Mode.second
    var colors: Set<Color> = [.red, .blue]
  }

  struct Readings: Defaultable {
    var frames: UInt64 = 0
    var level = 0.0
  }

  static let properties: [Property<Kinds>] = [
    .bool("flag", \.flag, "A flag", changeable: .ready),
    .int("int", \.int, "An int", -10...10, changeable: .ready),
    .uint("uint", \.uint, "A uint", 1...(.max), changeable: .paused),
    .int64("int64", \.int64, "An int64", (.min)...(.max), changeable: .playing),
    .clockTime("min-time", \.time, "A time in nanoseconds", changeable: .playing),
    .double("double", \.double, "A double", 0...255, changeable: .playing),
    .optionalDouble("optional", \.optional, "A double, or -1", upTo: 100, changeable: .playing),
    .optionalRate("rate", \.rate, "A rate, or 0/1", changeable: .ready),
    .string("text", \.text, "A text", changeable: .playing),
    .strings("words", \.words, "Texts", changeable: .playing),
    .enumeration("mode", \.mode, "A mode", changeable: .ready),
    .flags("colors", \.colors, "Colours", changeable: .ready),
    .counter("frames", \.frames, "Frames seen"),
    .measurement("level", \.level, "What double was at the last frame", 0...200),
  ]

  static let signals: [Signal<Kinds>] = [
    .notification("seen", parameters: [.uint64(0), .string(nil)]),
    .action("add", parameters: [.int(0), .int(0)], result: .int64(0)) { _, arguments in
      .int64(Int64(arguments[0].int ?? 0) + Int64(arguments[1].int ?? 0))
    },
    .action("greet", parameters: [.string(nil)], result: .string(nil)) { _, arguments in .string("Hello, \(arguments[0].string ?? "?")") },
    .action("wrong", result: .int(0)) { _, _ in .string("not an int") },
    .action("twice", parameters: [.int(0)], result: .int64(0)) { element, arguments in
      element.handle.emit("add", [arguments[0], arguments[0]])
    },
    .action("tell") { element, _ in
      element.told.add(1, ordering: .relaxed)
      return nil
    },
  ]

  static let alive = Atomic(0)
  static let debug = DebugCategory("kitkinds", "Every kind")

  let told = Atomic(0)
  private let handle: ElementHandle

  init(_ handle: ElementHandle) {
    self.handle = handle
    Self.alive.add(1, ordering: .relaxed)
  }

  deinit { Self.alive.subtract(1, ordering: .relaxed) }

  struct State {}

  func start(_ settings: Settings) throws -> State { State() }

  func see(_ input: borrowing InputBuffer, _ settings: Settings, _ state: inout State, _ output: inout Output<Readings>) throws {
    output.readings.frames = input.index + 1
    output.readings.level = settings.double
    handle.emit("seen", [.uint64(input.index), .string(settings.text)])
    Self.debug.log(GST_LEVEL_DEBUG, handle, "frame \(input.index) of \(LogText.built())")
  }
}

/// Counts how often a log text is built.
enum LogText {
  static let count = Atomic(0)

  static func built() -> String {
    count.add(1, ordering: .relaxed)
    return "the stream"
  }
}
