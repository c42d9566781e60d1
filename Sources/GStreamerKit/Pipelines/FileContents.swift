import CGStreamer

extension Buffer {
  /// Writes its bytes into a file, which appears when they are all there.
  ///
  /// - Throws: RESOURCE/WRITE with the system's reason.
  public func write(toFile path: String) throws {
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    let isWritten = bytes.withUnsafeBytes { bytes in
      g_file_set_contents(path, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), gssize(bytes.count), &error) != 0
    }
    if !isWritten {
      throw ElementError.resource(
        GST_RESOURCE_ERROR_WRITE, error.map { String(cString: $0.pointee.message) } ?? "Could not write to \"\(path)\"")
    }
  }
}
