/// A safetensors file, open, its header checked in full before anything is read.
///
/// ```swift
/// let file = try SafetensorsFile(path: "models/transnetv2/model.safetensors")
/// let bias = try file.floats("fc1.bias", shape: [1024])
/// ```
///
/// Opening costs the reading of the header, whatever the size of the file. Tensors are copied out of the file when they are asked
/// for; it stays open for as long as it or one of its tensors lives. Replace it by renaming another: who reads after it was written
/// to in place, or cut short, gets an error.
public final class SafetensorsFile: Sendable {
  /// As the caller gave it.
  public let path: String
  /// What the writer says of the file, such as `["format": "pt"]`.
  public let metadata: [String: String]
  private let tensors: [String: SafetensorsHeader.Tensor]
  private let file: ModelFile

  /// - Throws: the file is missing, unreadable, or not exactly what its header says: truncated, longer, an unknown type, a
  ///   shape that does not match its bytes, tensors that overlap or leave gaps, two of one name.
  public init(path: String) throws(WeightsError) {
    let file = try ModelFile(path: path)
    let header = try SafetensorsHeader(file)
    self.path = path
    self.file = file
    tensors = header.tensors
    metadata = header.metadata
  }

  /// All tensors' names, sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// The tensor `name` as it is in the file; nil if there is none.
  public subscript(name: String) -> TensorView? {
    guard let tensor = tensors[name] else { return nil }
    return TensorView(file, at: tensor.bytes.lowerBound, shape: tensor.shape, type: tensor.type)
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
  /// - Throws: as ``tensor(_:shape:types:)``, and when an element is infinite or not a number, or the file was written to.
  public func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
    guard let floats = try tensor(name, shape: shape).floats() else { throw malformed(name, "has an infinite value or a NaN") }
    return floats
  }

  private func malformed(_ name: String, _ reason: String) -> WeightsError {
    WeightsError(.malformed, path: path, tensor: name, reason)
  }
}
