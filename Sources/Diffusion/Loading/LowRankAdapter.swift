#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

import Tensors

/// A LoRA: for some weights W of a model two thin factors, so that W + scale·(α/r)·B·A is the weight in their stead.
///
/// ```swift
/// let adapter = try LowRankAdapter(path: "loras/watercolour")
/// let weights = try WeightFiles(folder: "CogVideoX-2b/transformer").merging([(adapter, scale: 0.8)])
/// ```
///
/// Reads what diffusers writes (`transformer.….lora_A.weight`, and the older `.lora.down.weight`) and what PEFT writes
/// (`base_model.model.….lora_A.weight` with `adapter_config.json`). α is the tensor `….alpha` where there is one, else what
/// the configuration says, else r, the rank.
///
/// LoRA: Hu et al. 2021, arXiv 2106.09685; α/√r: Kalajdzievski 2023, arXiv 2312.03732.
public struct LowRankAdapter: Sendable {
  /// The file that the factors are in.
  public let path: String
  /// By the names of their modules in the model, such as `transformer_blocks.0.attn1.to_q`.
  let factors: [String: Factors]

  /// The two factors of one weight.
  struct Factors: Sendable {
    /// A, `[r, columns…]`.
    var down: TensorView
    var downName: String
    /// B, `[rows, r]`, of a convolution `[rows, r, 1, 1]`.
    var up: TensorView
    var upName: String
    /// α/r, or α/√r.
    var scale: Double
  }

  static let diffusersName = "pytorch_lora_weights.safetensors"
  static let peftName = "adapter_model.safetensors"
  static let peftConfigurationName = "adapter_config.json"

  /// Reads a file, or a folder with `pytorch_lora_weights.safetensors` or `adapter_model.safetensors`.
  ///
  /// - Throws: it is missing or damaged; a tensor is no factor (DoRA and LoRA with biases are not supported); one of two
  ///   factors is missing; their shapes do not fit each other or the configuration; the configuration asks for what is not
  ///   supported, or α is not finite.
  public init(path: String) throws(WeightsError) {
    let (path, configuration) = try Self.locate(path)
    let file = try SafetensorsFile(path: path)
    let settings = try LowRankSettings(configuration: configuration, metadata: file.metadata["lora_adapter_metadata"], path: path)
    var parts: [String: TensorNames] = [:]
    for name in file.names {
      let (module, part) = try Self.parse(name, path: path)
      guard parts[module, default: TensorNames()].names.updateValue(name, forKey: part) == nil else {
        throw WeightsError(.malformed, path: path, tensor: name, "is there twice, under another name too")
      }
    }
    guard !parts.isEmpty else { throw WeightsError(.malformed, path: path, "has no LoRA factors") }
    var factors: [String: Factors] = [:]
    for (module, part) in parts.sorted(by: { $0.key < $1.key }) {
      factors[module] = try Self.factors(of: module, part, file, settings)
    }
    self.path = path
    self.factors = factors
  }

  /// The names of the tensors of one module.
  private struct TensorNames {
    var names: [Role: String] = [:]
  }

  private enum Role {
    case down, up, alpha
  }

  /// The file of factors, and the configuration that belongs to it.
  private static func locate(_ path: String) throws(WeightsError) -> (path: String, configuration: String?) {
    guard isFolder(path) else {
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.last == Substring(peftName) else { return (path, nil) }
      return (path, (parts.dropLast() + [Substring(peftConfigurationName)]).joined(separator: "/"))
    }
    if access("\(path)/\(diffusersName)", F_OK) == 0 { return ("\(path)/\(diffusersName)", nil) }
    if access("\(path)/\(peftName)", F_OK) == 0 { return ("\(path)/\(peftName)", "\(path)/\(peftConfigurationName)") }
    throw WeightsError(.notFound, path: path, "has no LoRA: neither \(diffusersName) nor \(peftName)" + ForeignFile.others(in: path))
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The module that a tensor belongs to, as the model names it, and what it is there.
  private static func parse(_ name: String, path: String) throws(WeightsError) -> (module: String, Role) {
    if name.contains("lora_magnitude_vector") || name.contains("dora_scale") {
      throw WeightsError(.malformed, path: path, tensor: name, "belongs to DoRA, which is not supported")
    }
    let suffixes: [(String, Role)] = [
      (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora.down.weight", .down), (".lora.up.weight", .up),
      (".lora.alpha", .alpha), (".alpha", .alpha),
    ]
    guard let (suffix, part) = suffixes.first(where: { name.hasSuffix($0.0) }) else {
      throw WeightsError(.malformed, path: path, tensor: name, "is no factor of a LoRA, lora_A.weight or lora_B.weight, and not supported")
    }
    var module = name.dropLast(suffix.count)
    for prefix in ["base_model.model.", "transformer."] where module.hasPrefix(prefix) {
      module = module.dropFirst(prefix.count)
      break
    }
    return (String(module), part)
  }

  private static func factors(
    of module: String, _ parts: TensorNames, _ file: SafetensorsFile, _ settings: LowRankSettings
  ) throws(WeightsError) -> Factors {
    func malformed(_ name: String, _ reason: String) -> WeightsError { WeightsError(.malformed, path: file.path, tensor: name, reason) }
    guard let downName = parts.names[.down], let down = file[downName] else {
      throw malformed(parts.names[.up] ?? parts.names[.alpha] ?? module, "has no lora_A beside it")
    }
    guard let upName = parts.names[.up], let up = file[upName] else { throw malformed(downName, "has no lora_B beside it") }
    for (name, view) in [(downName, down), (upName, up)] where !DataType.floatingPoint.contains(view.type) {
      throw malformed(name, "is \(view.type), not \(DataType.floatingPoint.map { "\($0)" }.joined(separator: " or "))")
    }
    guard down.shape.count >= 2, down.shape[0] > 0 else { throw malformed(downName, "has the shape \(down.shape), not [rank, columns]") }
    let rank = down.shape[0]
    guard up.shape.count >= 2, up.shape[1] == rank, up.shape.dropFirst(2).allSatisfy({ $0 == 1 }) else {
      throw malformed(upName, "has the shape \(up.shape), not [rows, \(rank)]")
    }
    if let expected = settings.rank(of: module), expected != rank {
      throw malformed(downName, "has rank \(rank), but its configuration says \(expected)")
    }
    var alpha = settings.alpha(of: module)
    if let name = parts.names[.alpha] {
      guard let view = file[name], view.count == 1, let value = try view.floats()?.first else {
        throw malformed(name, "is not one finite number")
      }
      alpha = Double(value)
    }
    let scale = (alpha ?? Double(rank)) / (settings.isRankStabilized ? Double(rank).squareRoot() : Double(rank))
    return Factors(down: down, downName: downName, up: up, upName: upName, scale: scale)
  }
}
