/// Why weights cannot be used: the file, where it applies the tensor, and the reason.
public struct WeightsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the file.
  public enum Kind: Sendable {
    /// No file of that name.
    case notFound
    /// There, but the system does not let it be read.
    case unreadable
    /// Read, but not what it should be: damaged, or of another model.
    case malformed
  }

  /// For callers that can do without a file, or name its absence themselves.
  public var kind: Kind
  /// As the caller gave it.
  public var path: String
  /// The tensor concerned; nil if it is the file as a whole.
  public var tensor: String?
  /// A clause without a full stop, such as `is 10 bytes long`; its subject is the tensor, or else the file.
  public var reason: String

  /// - Parameters:
  ///   - tensor: nil if it is the file as a whole.
  ///   - reason: a clause without a full stop, as ``reason`` is.
  public init(_ kind: Kind, path: String, tensor: String? = nil, _ reason: String) {
    self.kind = kind
    self.path = path
    self.tensor = tensor
    self.reason = reason
  }

  public var description: String {
    if let tensor { "Weights \"\(path)\": tensor \"\(tensor)\" \(reason)" } else { "Weights \"\(path)\" \(reason)" }
  }
}
