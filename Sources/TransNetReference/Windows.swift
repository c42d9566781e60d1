/// How the published network is run over a film: windows of 100 frames, 50 apart, of which the middle 50 count.
///
/// Before the first frame stand 25 copies of it, after the last as many of the last as the windows need.
public struct Windows: Sendable {
  /// Frames of a window.
  public static let length = 100
  /// Frames from one window to the next.
  public static let stride = 50
  /// Frames at either end of a window whose predictions are not used.
  public static let margin = 25

  /// Frames in the film.
  public let frames: Int

  /// A negative number is taken as 0.
  public init(frames: Int) { self.frames = max(frames, 0) }

  /// Windows that the film needs, 0 for none.
  public var count: Int { frames / Self.stride + (frames % Self.stride == 0 ? 0 : 1) }

  /// The frame of the film at `position`, 0 to 99, of a window.
  ///
  /// - Precondition: the film has a frame.
  public func frame(at position: Int, of window: Int) -> Int {
    min(max(window * Self.stride + position - Self.margin, 0), frames - 1)
  }

  /// The frames that a window gives predictions for: those at its positions from 25.
  public func kept(by window: Int) -> Range<Int> {
    let first = min(window * Self.stride, frames)
    return first..<min(first + Self.stride, frames)
  }
}
