import CGStreamer
import GStreamerKit
import Synchronization

/// The marks of `Holder` on each buffer that passes a pad.
final class MarkLog: Sendable {
  private let kept = Mutex<[[UInt64]]>([])

  var marks: [[UInt64]] { kept.withLock { $0 } }

  func watch(_ pad: UnsafeMutablePointer<GstPad>) {
    gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      { _, info, log in
        if let log, let buffer = info?.pointee.data?.assumingMemoryBound(to: GstBuffer.self) {
          let found = Holder.mark.all(on: buffer).compactMap { $0["frame"]?.uint64 }
          Unmanaged<MarkLog>.fromOpaque(log).takeUnretainedValue().kept.withLock { $0.append(found) }
        }
        return GST_PAD_PROBE_OK
      }, Unmanaged.passRetained(self).toOpaque(), { if let log = $0 { Unmanaged<MarkLog>.fromOpaque(log).release() } })
  }
}
