import CGStreamer
import Synchronization

extension Pad {
  /// Lets no raw video or sound pass from now on that is not what its caps promise: GStreamer's own converters and encoders read and
  /// write beyond buffers that are too small or whose metadata are of other caps, or never let go of them.
  ///
  /// For pads of children, before watchers that count on it. Other data pass, but no buffers before caps. Sound that those elements
  /// cannot convert is refused with its caps.
  ///
  /// - Parameter refused: told why, once for the same caps, on the thread that brings the data.
  public func guardRawData(_ refused: @escaping @Sendable (ElementError) -> Void) {
    let format = RawDataGuard()
    watch { passing in
      guard let error = format.error(in: passing) else { return }
      passing = .dropped
      if format.isFirst() { refused(error) }
    }
  }
}

/// What passes a guarded pad.
private final class RawDataGuard: Sendable {
  private enum Format {
    case none, unreadable, other, video(VideoInfo), sound(AudioInfo)

    init(_ caps: Caps) {
      if let info = caps.video {
        self = .video(info)
      } else if let info = caps.gst.flatMap({ AudioInfo(anyLayout: $0) }) {
        self = info.isConvertible ? .sound(info) : .unreadable
      } else {
        self = caps.mediaType.map { $0.hasSuffix("/x-raw") } ?? false ? .unreadable : .other
      }
    }
  }

  private struct State {
    var format = Format.none
    var isTold = false
  }

  private let state = Mutex(State())

  /// Whether it is the first that cannot pass since the caps came.
  func isFirst() -> Bool {
    state.withLock { state in
      defer { state.isTold = true }
      return !state.isTold
    }
  }

  /// Why something cannot pass.
  func error(in passing: Passing) -> ElementError? {
    switch passing {
    case .dropped: return nil
    case .event(let event):
      guard let caps = event.caps else { return nil }
      let format = Format(caps)
      state.withLock { $0 = State(format: format) }
      guard case .unreadable = format else { return nil }
      return .core(GST_CORE_ERROR_NEGOTIATION, "Nobody here can convert these caps: \(caps)")
    case .buffer(let buffer):
      switch state.withLock({ $0.format }) {
      case .none, .unreadable: return .core(GST_CORE_ERROR_NEGOTIATION, "A buffer comes without caps that can be read.")
      case .other: return nil
      case .video(let info):
        do {
          let isRight = try buffer.withFrame(info) { $0.isWithinDepth }
          return isRight ? nil : .stream(GST_STREAM_ERROR_FAILED, "A \(info.formatName) frame has samples of more bits than its format.")
        } catch { return ElementError(converting: error) }
      case .sound(let info):
        return buffer.hasSamples(info)
          ? nil : .stream(GST_STREAM_ERROR_FAILED, "A buffer's metadata are not of the sound that its caps promise.")
      }
    }
  }
}
