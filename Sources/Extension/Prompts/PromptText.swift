import Diffusion

/// What a prompt's text asks for: the captions of one shot or several, their times, and how they follow each other.
///
/// ```swift
/// let text = PromptText("Two shots: A farm at dawn; Shot 1: [0s, 4s] A cock crows; Shot 2: [4s, 6.5s] A door opens")
/// text.general            // "A farm at dawn"
/// text.shots[1].caption   // "A door opens"
/// text.shots[1].duration  // 2_500_000_000
/// ```
///
/// Known are three forms; what begins none of them, and has none of their marks inside, is plain: one shot's caption.
/// - CineTrans's, as above. The count (digits, or words up to twenty), the general caption, and the times of all shots
///   may be left out. Shots are numbered from 1 in order. Times are seconds from 0 to 24 hours with or without `s`; they
///   may leave gaps, but not overlap. Shots after the first begin with a cut.
/// - TAV's: `Previous scene: …; Next scene: …`. Either may be alone; without the latter the new scene has no caption.
/// - Continuations: `Next scene: …`, `Same shot: …` and `Back to the earlier shot: …`, one or more of them, a shot each,
///   also after a `Previous scene: …`, and one of them before the caption of a shot of CineTrans's.
///
/// A mark inside a text stands after a semicolon, a sentence or a line break; one of CineTrans's with times anywhere. Case,
/// and white space around words, numbers and punctuation, do not matter, nor whether ASCII is full-width; `then` may
/// precede a mark of scenes, in which `scene` and `shot` are the same word. Captions lose white space around them, and the
/// semicolons and commas behind them.
///
/// A text that looks like a form but breaks its rules is taken as plain, and ``problem`` says why. Cost: linear in its
/// length.
///
/// Source: CineTrans (arXiv 2508.11484); TAV (arXiv 2507.18046), section 3 and appendix B.
public struct PromptText: Hashable, Sendable {
  /// How a text is written.
  public enum Form: Hashable, Sendable {
    case plain
    /// CineTrans's.
    case shots
    /// TAV's, and continuations.
    case scenes
  }

  /// One shot of a text: at least its caption.
  public struct Shot: Hashable, Sendable {
    /// Empty for the model's own idea.
    public var caption: String
    /// Nanoseconds from the first shot's zero, both or neither; `start` < `end`.
    public internal(set) var start: UInt64?
    /// Nanoseconds from the same zero; what lies between two shots belongs to none.
    public internal(set) var end: UInt64?
    /// nil where the text does not say.
    public var beginning: ShotBeginning?

    /// Nanoseconds; nil where the text does not say.
    public var duration: UInt64? {
      guard let start, let end, start < end else { return nil }
      return end - start
    }
  }

  /// Plain also where there is a ``problem``.
  public private(set) var form = Form.plain
  /// What holds for all shots of the text; empty if it does not say.
  public internal(set) var general = ""
  /// The scene before, in TAV's form; nil if the text does not say.
  public internal(set) var previous: String?
  /// At least one.
  public private(set) var shots: [Shot]
  /// Why it is plain though it looks like another form.
  public internal(set) var problem: PromptProblem?

  init(_ form: Form, shots: [Shot]) {
    self.form = form
    self.shots = shots
  }

  /// Never fails: what breaks its form's rules is plain, with a ``problem``.
  public init(_ text: String) {
    do throws(PromptProblem) {
      if let scenes = try Self.scenes(text) {
        self = scenes
      } else if let shots = try Self.shots(text) {
        self = shots
      } else {
        try Self.checkNoScenesInside(text)
        self = Self.plain(text)
      }
    } catch {
      self = Self.plain(text)
      problem = error
    }
  }

  private static func plain(_ text: String) -> PromptText {
    PromptText(.plain, shots: [Shot(caption: trimmed(text[...]), beginning: nil)])
  }
}
