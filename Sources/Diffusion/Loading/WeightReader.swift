import Tensors

/// What layers are made of: each asks for its tensors by their names, which stand nowhere else.
///
/// ```swift
/// let demand = try WeightReader.demand(of: files) { reader in _ = try Block(0, configuration, reader, type: .bfloat16) }
/// try files.check(demand.tensors)  // all is there, of the right shape, and nothing was read
/// let block = try Block(0, configuration, WeightReader(files), type: .bfloat16)
/// ```
struct WeightReader {
  /// What layers ask for, found by making them of zeros.
  struct Demand {
    /// In the order in which they were asked for.
    fileprivate(set) var tensors: [ExpectedTensor] = []
    /// Bytes that stay in memory once all was used.
    fileprivate(set) var residentBytes = 0
  }

  private final class Notes {
    var demand = Demand()
  }

  private let read: (String, [Int]) throws(WeightsError) -> [Float]
  private let notes: Notes?

  init(_ files: WeightFiles) {
    self.init { (name, shape) throws(WeightsError) in try files.floats(name, shape: shape) }
  }

  /// - Parameter read: gets a tensor's name and shape, and returns its values in row-major order.
  init(read: @escaping (String, [Int]) throws(WeightsError) -> [Float]) { (self.read, notes) = (read, nil) }

  private init(_ notes: Notes, _ files: WeightFiles?) {
    read = { (name, shape) throws(WeightsError) in
      // A configuration may say anything; memory is taken for what its files can fill.
      try files?.require(ExpectedTensor(name, shape))
      return Array(repeating: 0, count: shape.reduce(1, *))
    }
    self.notes = notes
  }

  /// What is asked for by what `make` makes. Of matrices and kernels only names and shapes are made.
  ///
  /// - Parameter files: those that have to have it, of a configuration that may be anybody's: what is read at once is looked up in
  ///   them before memory is taken for it. The rest is for ``WeightFiles/check(_:)``.
  /// - Throws: what `make` throws, and for a tensor that `files` do not have.
  static func demand(
    of files: WeightFiles? = nil, _ make: (WeightReader) throws(WeightsError) -> Void
  ) throws(WeightsError) -> Demand {
    let notes = Notes()
    try make(WeightReader(notes, files))
    return notes.demand
  }

  private func note(_ name: String, _ shape: [Int], bytes: Int) {
    notes?.demand.tensors.append(ExpectedTensor(name, shape))
    notes?.demand.residentBytes += bytes
  }

  /// Has to be there, and is read from the file by whoever needs it.
  func expect(_ name: String, _ shape: [Int]) { note(name, shape, bytes: 0) }

  /// Read now, and kept in float32.
  func floats(_ name: String, _ shape: [Int]) throws(WeightsError) -> [Float] {
    note(name, shape, bytes: shape.reduce(4, *))
    return try read(name, shape)
  }

  /// Read when its layer is first used.
  ///
  /// - Parameters:
  ///   - type: that it is kept in.
  ///   - sums: how many numbers are kept of how many, where they are kept as the sums that they are multiplied as.
  func later(
    _ name: String, _ shape: [Int], type: DataType, sums: (kept: Int, of: Int) = (1, 1)
  ) -> () throws(WeightsError) -> [Float] {
    note(name, shape, bytes: shape.reduce(type.size, *) / sums.of * sums.kept)
    return { [read] () throws(WeightsError) in try read(name, shape) }
  }

  /// The linear layer whose tensors are `name.weight` and `name.bias`.
  ///
  /// - Parameter shape: of the weights where they are those of a convolution; nil for `[outputs][inputs]`.
  func linear(
    _ name: String, inputs: Int, outputs: Int, hasBias: Bool = true, shape: [Int]? = nil, type: DataType
  ) throws(WeightsError) -> Linear {
    let weights = later(name + ".weight", shape ?? [outputs, inputs], type: type)
    let bias = hasBias ? try floats(name + ".bias", [outputs]) : nil
    return Linear(inputs: inputs, outputs: outputs, bias: bias, type: type, weights: weights)
  }

  /// Factors and offsets of a normalisation; none if it has none.
  func norm(_ name: String, size: Int, isAffine: Bool = true) throws(WeightsError) -> (scale: [Float], shift: [Float]) {
    isAffine ? (try floats(name + ".weight", [size]), try floats(name + ".bias", [size])) : ([], [])
  }
}
