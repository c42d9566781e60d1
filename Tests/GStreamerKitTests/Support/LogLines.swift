import CGStreamer
import Synchronization

/// Lines of one category of GStreamer's debug log.
final class LogLines: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }

  func listen(_ category: String, _ level: GstDebugLevel) {
    // The default function would write to the terminal.
    gst_debug_remove_log_function(gst_debug_log_default)
    gst_debug_add_log_function(
      { category, _, _, _, _, _, message, lines in
        guard let category, let lines, let message, String(cString: gst_debug_category_get_name(category)) == "kitkinds" else { return }
        guard let text = gst_debug_message_get(message) else { return }
        let line = String(cString: text)
        Unmanaged<LogLines>.fromOpaque(lines).takeUnretainedValue().kept.withLock { $0.append(line) }
      }, Unmanaged.passRetained(self).toOpaque(), { if let lines = $0 { Unmanaged<LogLines>.fromOpaque(lines).release() } })
    gst_debug_set_threshold_for_name(category, level)
  }

  func stop(_ category: String) {
    gst_debug_unset_threshold_for_name(category)
    gst_debug_remove_log_function_by_data(Unmanaged.passUnretained(self).toOpaque())
    gst_debug_add_log_function(gst_debug_log_default, nil, nil)
  }
}
