import CGStreamer
import Extension
import GStreamerKit
import Timing

/// The sound beside the picture.
extension SceneExtend {
  func passSound(_ buffer: consuming Buffer, _ settings: Settings) -> GstFlowReturn {
    let now = now()
    // If it has to wait, the pad's own thread has to know.
    switch lanes.change({ arrive(buffer, at: now, settings, &$0) }) ?? lanes.wait({ arrive(buffer, at: now, settings, &$0) }) {
    case .refused(let flow): return flow
    case .decided(.ended): return GST_FLOW_EOS
    case .decided(.dropped): return GST_FLOW_OK
    case .decided(.passes(let passing)):
      defer { pushed(.sound) }
      for departure in passing.departures { push(departure, .sound) }
      buffer.move(by: passing.shift)
      if passing.isFirstMoved { warnOfTimes(passing.shift, "sound") }
      if passing.skipped > 0, let info = lanes.change({ $0.machine.soundInfo }) { buffer = buffer.without(samples: passing.skipped, info) }
      return push(buffer, .sound)
    }
  }

  /// - Returns: nil if it has to wait.
  private func arrive(
    _ buffer: borrowing Buffer, at now: ClockTime, _ settings: Settings, _ state: inout Lanes<State>.State
  ) -> Arrival<Flow.SoundArrival>? {
    if state.isOver(.sound) { return .refused(state.refusal(.sound)) }
    let size = buffer.size
    let arrival = state.machine.flow.arriveSound(
      pts: buffer.pts, duration: buffer.duration, size: size, now: now, settings.timeline
    ) { buffer.bytes(size - $0..<size) }
    guard let arrival else { return nil }
    if case .passes = arrival {
      state.push(.sound)
      state.machine.continuation = nil
    }
    return .decided(arrival)
  }

  /// One turn of the sound's thread. False if it has nothing more to do.
  func extendSound() -> Bool {
    guard let settings = handle.settings(of: SceneExtend.self) else { return true }
    let rules = settings.timeline
    let piece = lanes.wait { state -> Flow.SoundPiece?? in
      if state.isOver(.sound) { return .some(nil) }
      guard !state.isPushing(.sound), let piece = state.machine.flow.nextSound(rules, state.machine.work?.producer) else { return nil }
      if case .leaves = piece { state.push(.sound) }
      return .some(piece)
    }
    switch piece {
    case nil:
      // Who takes no more sound still has to know of the end.
      let end = lanes.change { state -> Flow.Leaving? in
        let isRefused = !state.isClosed(.sound) && ![GST_FLOW_OK, GST_FLOW_FLUSHING].contains(state.flow(.sound))
        return isRefused ? state.machine.flow.takeRefusedSoundEnd() : nil
      }
      if let end { push(end, .sound) }
      return false
    case .lookAgain: lanes.change { _ in }
    case .leaves(let departure):
      push(departure, .sound)
      lanes.change { $0.pushed(.sound) }
    case .gap(let time, let duration): if let gap = Event.gap(time, duration: duration) { push(gap, .sound) }
    case .samples(let count, let time, let before): pushSamples(count, at: time, after: before, settings)
    }
    return true
  }

  /// - Parameter before: what the stream ended with, where generated sound begins.
  private func pushSamples(_ count: Int, at time: ClockTime, after before: [UInt8]?, _ settings: Settings) {
    guard let info = lanes.change({ $0.machine.soundInfo }) else { return }
    if before != nil || lanes.change({ $0.machine.continuation == nil }) {
      let made = SoundContinuation(
        settings.audio == .loop ? .loop : .silence, after: info.numbers(in: before ?? []), channels: info.channels, rate: info.rate)
      lanes.change { $0.machine.continuation = made }
    }
    guard var buffer = Buffer(bytes: info.bytes(of: lanes.change { $0.machine.continuation?.next(count) ?? [] })), buffer.size > 0 else {
      return
    }
    buffer.pts = time
    buffer.duration = info.format.time(of: Int64(count))
    let flow = push(buffer, .sound)
    if flow != GST_FLOW_OK { lanes.change { $0.refuse(.sound, flow) } }
  }
}

extension AudioInfo {
  var format: SoundFormat { SoundFormat(rate: rate, channels: channels, bytesPerFrame: bytesPerFrame) }
}

extension Buffer {
  /// Without its first samples; all of it if it has no more.
  fileprivate func without(samples: Int, _ info: AudioInfo) -> Buffer {
    guard var part = part(samples * info.bytesPerFrame..<max(size, samples * info.bytesPerFrame)) else { return self }
    let time = info.format.time(of: Int64(samples))
    part.pts = pts.map { $0.saturating(adding: time) }
    part.duration = duration.map { $0.less(time) }
    return part
  }
}
