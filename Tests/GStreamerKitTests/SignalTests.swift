import CGStreamer
import GStreamerKit
import Synchronization
import Testing

extension GStreamerKitTests {
  @Suite struct SignalTests {
    final class Heard: Sendable {
      let all = Mutex<[(UInt64, String?)]>([])
      static let gone = Atomic(0)
      deinit { Self.gone.add(1, ordering: .relaxed) }
    }

    @Test func notificationsReachAHandler() throws {
      let rig = try Rig("kitkinds")
      let handler: @convention(c) (UnsafeMutableRawPointer?, guint64, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void = {
        _, index, text, heard in
        guard let heard else { return }
        let text = text.map { String(cString: $0) }
        Unmanaged<Heard>.fromOpaque(heard).takeUnretainedValue().all.withLock { $0.append((UInt64(index), text)) }
      }
      let heard = Heard()
      let id = g_signal_connect_data(
        rig.made.gobject, "seen", unsafeBitCast(handler, to: GCallback.self), Unmanaged.passRetained(heard).toOpaque(),
        { heard, _ in if let heard { Unmanaged<Heard>.fromOpaque(heard).release() } }, G_CONNECT_DEFAULT)
      #expect(id != 0)
      try rig.push(0)
      rig.made.set("text", .string(nil))
      try rig.push(1)
      g_signal_handler_disconnect(rig.made.gobject, id)
      try rig.push(2)
      let all = heard.all.withLock { $0 }
      #expect(all.map(\.0) == [0, 1])
      #expect(all.map(\.1) == ["nothing", nil])
    }

    @Test func actionsTakeArgumentsAndGiveResults() throws {
      let made = try Made("kitkinds")
      #expect(made.emit("add", [.int(40), .int(2)], returning: .int64(0)) == .int64(42))
      #expect(made.emit("greet", [.string("Ada")], returning: .string(nil)) == .string("Hello, Ada"))
      #expect(made.emit("tell") == nil)
    }

    @Test func anElementEmitsAnActionItself() throws {
      #expect(try Made("kitkinds").emit("twice", [.int(21)], returning: .int64(0)) == .int64(42))
    }

    @Test func aResultOfAnotherTypeIsDropped() throws {
      #expect(try Made("kitkinds").emit("wrong", returning: .int(0)) == .int(0))
    }
  }
}
