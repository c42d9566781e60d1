import CGStreamer

/// Buffers of one video format that are used again when nobody holds them any more.
///
/// For one thread at a time.
public final class VideoBufferPool {
  private let pool: Reference<GstBufferPool>

  private static let noBuffers = ElementError.resource(GST_RESOURCE_ERROR_FAILED, "There are no buffers for generated frames.")

  /// - Throws: RESOURCE/FAILED if there are no buffers of these caps.
  public init(_ info: VideoInfo) throws {
    guard let pool = gst_buffer_pool_new() else { throw Self.noBuffers }
    self.pool = Reference(object: pool)
    let configuration = gst_buffer_pool_get_config(pool)
    // The pool takes a reference of its own.
    withExtendedLifetime(info.caps) { gst_buffer_pool_config_set_params(configuration, $0?.gst, UInt32(clamping: info.gst.size), 0, 0) }
    guard gst_buffer_pool_set_config(pool, configuration) != 0, gst_buffer_pool_set_active(pool, 1) != 0 else { throw Self.noBuffers }
  }

  deinit { if let pool = pool.pointer { gst_buffer_pool_set_active(pool, 0) } }

  /// One that nobody else holds, with anything in it and no times.
  ///
  /// - Throws: RESOURCE/FAILED if there are none.
  public func buffer() throws -> Buffer {
    var buffer: UnsafeMutablePointer<GstBuffer>?
    guard let pool = pool.pointer, gst_buffer_pool_acquire_buffer(pool, &buffer, nil) == GST_FLOW_OK, let buffer else {
      throw Self.noBuffers
    }
    return Buffer(taking: buffer)
  }
}
