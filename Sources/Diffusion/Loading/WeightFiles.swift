import Tensors

/// The tensors of one component of a model: one safetensors file, or the shards that an index names, open.
///
/// ```swift
/// let weights = try WeightFiles(folder: "CogVideoX-2b/transformer")
/// try weights.check([ExpectedTensor("proj_out.weight", [64, 1920]), …])
/// let projection = try weights.floats("proj_out.weight", shape: [64, 1920])
/// ```
///
/// Opening costs the reading of the headers, whatever the size of the files. Tensors are copied out of them when they are asked for;
/// who asks after a file was written to in place gets an error. The names are those that diffusers and transformers write with
/// `save_pretrained`.
public struct WeightFiles: Sendable {
  /// The one file, or the index of the shards: what errors name where a tensor is missing.
  public let path: String
  private let files: [SafetensorsFile]
  /// Which file each tensor is in.
  private let places: [String: Int]
  var changes: [String: [LowRankChange]] = [:]

  /// Opens `diffusion_pytorch_model.safetensors` or `model.safetensors`, else the shards of one of their indexes, else the
  /// only variant of them that is there, such as `model.fp16.safetensors`.
  ///
  /// - Throws: nothing of these is there, or variants of which none comes first; a file is damaged; the index names a file
  ///   outside the folder, a file that is missing, or a tensor that is not in the file it names.
  public init(folder: String) throws(WeightsError) {
    let source = try WeightSource(folder: folder)
    switch source {
    case .file(let name): try self.init(file: folder + "/" + name)
    case .index(let name): try self.init(index: name, in: folder)
    }
  }

  /// Opens one safetensors file.
  public init(file path: String) throws(WeightsError) {
    let file = try SafetensorsFile(path: path)
    self.path = path
    files = [file]
    places = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
  }

  private init(index name: String, in folder: String) throws(WeightsError) {
    let path = folder + "/" + name
    let index = try ShardIndex(path: path)
    var files: [SafetensorsFile] = []
    for shard in index.shards {
      do throws(WeightsError) { files.append(try SafetensorsFile(path: folder + "/" + shard)) } catch {
        guard error.kind == .notFound else { throw error }
        throw WeightsError(.notFound, path: error.path, "does not exist, but \(name) names it")
      }
    }
    for (tensor, shard) in index.places where files[shard][tensor] == nil {
      throw WeightsError(.malformed, path: files[shard].path, tensor: tensor, "is missing, but \(name) says that it is there")
    }
    self.path = path
    self.files = files
    places = index.places
  }

  /// All tensors' names, sorted.
  public var names: [String] { places.keys.sorted() }

  /// Bytes that all tensors take as they are stored.
  public var byteCount: Int {
    // Each is a part of a file, and no two overlap in one.
    places.reduce(0) { $0 + (files[$1.value][$1.key]?.byteCount ?? 0) }
  }

  /// Whether one of the files has a tensor of this name, of whatever shape and type.
  public func contains(_ name: String) -> Bool { places[name] != nil }

  /// The tensor `name` as it is in its file, without what adapters change in it; nil if there is none.
  public subscript(name: String) -> TensorView? { places[name].flatMap { files[$0][name] } }

  /// The tensor `name`, which must have this shape and one of these types.
  ///
  /// What an adapter changes is computed anew with each call, as float32.
  ///
  /// - Throws: ``WeightsError/Kind/malformed``, naming file and tensor.
  public func tensor(
    _ name: String, shape: [Int], types: [DataType] = DataType.floatingPoint
  ) throws(WeightsError) -> TensorView {
    guard changes[name] == nil else {
      let storage = FloatStorage(try self.floats(name, shape: shape))
      guard types.contains(.float32), let view = TensorView(storage, at: 0, shape: shape, type: .float32) else {
        throw malformed(name, "is float32 once an adapter is merged, not \(types.map { "\($0)" }.joined(separator: " or "))")
      }
      return view
    }
    return try file(of: name).tensor(name, shape: shape, types: types)
  }

  /// The elements of the tensor `name` as float32, all of them finite, with what adapters change.
  ///
  /// Costs the array, and for a change its two factors.
  ///
  /// - Throws: as ``tensor(_:shape:types:)``, and when an element is infinite or not a number.
  public func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
    let file = try file(of: name)
    var floats = try file.floats(name, shape: shape)
    guard let changes = changes[name] else { return floats }
    for change in changes { try change.add(to: &floats, rows: shape.first ?? 1) }
    guard floats.allSatisfy(\.isFinite) else {
      throw WeightsError(.malformed, path: file.path, tensor: name, "has an infinite value once an adapter is merged")
    }
    return floats
  }

  private func file(of name: String) throws(WeightsError) -> SafetensorsFile {
    guard let place = places[name] else { throw WeightsError(.malformed, path: path, tensor: name, "is missing") }
    return files[place]
  }

  private func malformed(_ name: String, _ reason: String) -> WeightsError {
    WeightsError(.malformed, path: places[name].map { files[$0].path } ?? path, tensor: name, reason)
  }
}

/// A tensor that a model's configuration calls for.
public struct ExpectedTensor: Hashable, Sendable {
  /// As the model's makers save it, such as `proj_out.weight`.
  public var name: String
  /// Elements along each axis in PyTorch's order, the outermost first.
  public var shape: [Int]
  /// Any of these will do.
  public var types: [DataType]

  /// Of any floating-point type, unless `types` says otherwise.
  public init(_ name: String, _ shape: [Int], types: [DataType] = DataType.floatingPoint) {
    self.name = name
    self.shape = shape
    self.types = types
  }
}

extension WeightFiles {
  /// Checks that all of a model's tensors are there, before one of them is read.
  ///
  /// - Returns: the names of tensors beyond those expected, sorted.
  /// - Throws: ``WeightsError/Kind/malformed`` for the first tensor that is missing or has another shape or type.
  @discardableResult
  public func check(_ expected: [ExpectedTensor]) throws(WeightsError) -> [String] {
    var others = Set(names)
    for wanted in expected {
      try require(wanted)
      others.remove(wanted.name)
    }
    return others.sorted()
  }

  func require(_ wanted: ExpectedTensor) throws(WeightsError) {
    _ = try file(of: wanted.name).tensor(wanted.name, shape: wanted.shape, types: wanted.types)
  }
}
