/// Why something is not computed.
public enum ComputeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked for, or a function of oneDNN's C interface, and its `dnnl_status_t`: 1 out of memory, 2 invalid arguments,
  /// 3 unimplemented, …
  case failed(call: String, status: UInt32)
  /// OpenBLAS, which this system computes with, cannot be loaded; `reason` is what the system says.
  case noOpenBLAS(reason: String)

  /// A call that failed, as ``failed(call:status:)``.
  public init(call: String, status: UInt32) { self = .failed(call: call, status: status) }

  public var description: String {
    switch self {
    case .failed(let call, let status):
      call.hasPrefix("dnnl_") ? "oneDNN's \(call) failed with status \(status)" : "Not to be computed: \(call) (status \(status))"
    case .noOpenBLAS(let reason):
      "OpenBLAS cannot be loaded (\(reason)); install the package libopenblas0 (Debian, Ubuntu) or openblas (Fedora, Arch)"
    }
  }
}
