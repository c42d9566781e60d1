import Glibc
import Synchronization

/// Lets a model make a shot each time that a test says so: it stands where the model's thread says that it begins one.
final class ShotGate: Sendable {
  private struct State {
    var begun: Set<UInt64> = []
    var isWaiting = false
    var permits = 0
  }

  private let state = Mutex(State())

  /// In the way of what the stream's element posts, from here on.
  func stand(in bus: Bus) {
    bus.onPost { [weak self] message in
      guard let fields = message.fields, fields.name == "scene-extension", fields.text("state") == "generating" else { return }
      guard let shot = fields.number("shot"), self?.begins(shot) ?? false else { return }
      // Whoever waits goes on when the gate is gone.
      while !(self?.passes ?? true) { usleep(1000) }
    }
  }

  /// Whether nobody has said this of the shot before.
  private func begins(_ shot: UInt64) -> Bool {
    state.withLock { state in
      guard state.begun.insert(shot).inserted else { return false }
      state.isWaiting = true
      return true
    }
  }

  private var passes: Bool {
    state.withLock { state in
      guard state.permits > 0 else { return false }
      state.permits -= 1
      state.isWaiting = false
      return true
    }
  }

  /// Lets the shot begin that waits, and waits until there is one.
  func open() throws {
    guard eventually(within: 30, { state.withLock { $0.isWaiting } }) else { throw Failure("no shot begins") }
    state.withLock { $0.permits += 1 }
  }
}
