/// A safetensors file, memory-mapped, its header checked in full before anything is read.
///
/// ```swift
/// let file = try SafetensorsFile(path: "models/transnetv2/model.safetensors")
/// let bias = try file.floats("fc1.bias", shape: [1024])
/// ```
///
/// Opening costs the reading of the header, whatever the size of the file. The file stays mapped for as long as it or one
/// of its tensors lives, and must not be shortened in that time: replace a file by renaming, never in place.
public final class SafetensorsFile: Sendable {
  /// As the caller gave it.
  public let path: String
  /// What the writer says of the file, such as `["format": "pt"]`.
  public let metadata: [String: String]
  private let tensors: [String: SafetensorsHeader.Tensor]
  private let file: MappedFile

  /// - Throws: the file is missing, unreadable, or not exactly what its header says: truncated, longer, an unknown type, a
  ///   shape that does not match its bytes, tensors that overlap or leave gaps, two of one name.
  public init(path: String) throws(WeightsError) {
    let file = try MappedFile(path: path)
    let header = try SafetensorsHeader(file.bytes, path: path)
    self.path = path
    self.file = file
    tensors = header.tensors
    metadata = header.metadata
  }

  /// All tensors' names, sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// The tensor `name` as it is in the file; nil if there is none.
  public subscript(name: String) -> TensorView? {
    guard let tensor = tensors[name], let base = file.bytes.baseAddress else { return nil }
    return TensorView(base + tensor.bytes.lowerBound, shape: tensor.shape, type: tensor.type, owner: self)
  }

  /// The tensor `name`, which must have this shape and one of these types.
  ///
  /// - Throws: ``WeightsError/Kind/malformed``, naming file and tensor.
  public func tensor(
    _ name: String, shape: [Int], types: [DataType] = DataType.floatingPoint
  ) throws(WeightsError) -> TensorView {
    guard let tensor = self[name] else { throw malformed(name, "is missing") }
    guard tensor.shape == shape else { throw malformed(name, "has the shape \(tensor.shape), not \(shape)") }
    guard types.contains(tensor.type) else {
      throw malformed(name, "is \(tensor.type), not \(types.map { "\($0)" }.joined(separator: " or "))")
    }
    return tensor
  }

  /// The elements of the tensor `name` as float32, all of them finite.
  ///
  /// - Throws: as ``tensor(_:shape:types:)``, and when an element is infinite or not a number.
  public func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
    guard let floats = try tensor(name, shape: shape).floats() else { throw malformed(name, "has an infinite value or a NaN") }
    return floats
  }

  /// Takes the tensor's pages out of the process's memory, for when its elements have been copied. They are read anew when
  /// they are touched again.
  public func letGo(of name: String) {
    if let tensor = tensors[name] { file.letGo(of: tensor.bytes) }
  }

  private func malformed(_ name: String, _ reason: String) -> WeightsError {
    WeightsError(.malformed, path: path, tensor: name, reason)
  }
}
