import COneDNN

/// Where oneDNN's primitives run one after the other.
final class OneDNNStream {
  let handle: dnnl_stream_t

  init() throws(ComputeError) {
    var handle: dnnl_stream_t?
    try OneDNN.check(dnnl_stream_create(&handle, OneDNN.engine.get(), UInt32(dnnl_stream_default_flags.rawValue)), "dnnl_stream_create")
    guard let handle else { throw ComputeError(call: "dnnl_stream_create", status: 0) }
    self.handle = handle
  }

  deinit { dnnl_stream_destroy(handle) }
}
