import Tensors

/// Ranks and α of an adapter's modules, as PEFT's `adapter_config.json` or diffusers' metadata in the file say.
struct LowRankSettings {
  /// α is divided by the rank's root, not the rank.
  private(set) var isRankStabilized = false
  private var rank: Int?
  private var alpha: Double?
  /// For modules whose names end like these, the first that fits.
  private var ranks: [(pattern: String, rank: Int)] = []
  private var alphas: [(pattern: String, alpha: Double)] = []

  private static let largestRank = 1 << 20
  private static let largestAlpha = 1e9

  /// What changes the merged weights in ways that are not supported; null, false or empty where it is not used.
  private static let unsupported = [
    "use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora", "modules_to_save", "layer_replication", "target_parameters",
    "trainable_token_indices", "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config",
  ]

  /// - Parameters:
  ///   - configuration: the path of `adapter_config.json`; nil for none.
  ///   - metadata: JSON of the same fields, each perhaps with `transformer.` before it; nil for none.
  ///   - path: of the adapter's file.
  init(configuration: String?, metadata: String?, path: String) throws(WeightsError) {
    if let configuration {
      guard case .object(let members) = try ConfigurationFile.value(path: configuration) else {
        throw WeightsError(.malformed, path: configuration, "is no JSON object of fields")
      }
      try read(ConfigurationFields(path: configuration, members), members)
    } else if let metadata {
      let value: JSONValue
      do throws(JSONReader.Fault) { value = try JSONValue(text: metadata) } catch {
        throw WeightsError(.malformed, path: path, "has metadata \"lora_adapter_metadata\" that \(error.reason)")
      }
      guard case .object(let prefixed) = value else {
        throw WeightsError(.malformed, path: path, "has metadata \"lora_adapter_metadata\" that is no JSON object of fields")
      }
      let prefix = "transformer."
      let members = prefixed.map { ($0.name.hasPrefix(prefix) ? String($0.name.dropFirst(prefix.count)) : $0.name, $0.value) }
      try read(ConfigurationFields(path: path, members), members)
    }
  }

  private mutating func read(_ fields: ConfigurationFields, _ members: [(name: String, value: JSONValue)]) throws(WeightsError) {
    _ = try fields.choice("peft_type", ["LORA"], default: "LORA")
    _ = try fields.choice("bias", ["none"], default: "none")
    for field in Self.unsupported {
      switch members.first(where: { $0.name == field })?.value {
      case nil, .null, .boolean(false): continue
      case .array(let elements) where elements.isEmpty: continue
      case .object(let members) where members.isEmpty: continue
      case .some(let value): throw fields.error(field, "is \(ConfigurationFields.text(value)), which is not supported")
      }
    }
    isRankStabilized = try fields.boolean("use_rslora", default: false)
    rank = try fields.optionalInteger("r", in: 1...Self.largestRank)
    alpha = try fields.optionalNumber("lora_alpha", in: -Self.largestAlpha...Self.largestAlpha)
    for (pattern, value) in try Self.patterns("rank_pattern", fields, members) {
      guard case .integer(let rank) = value else { throw fields.error("rank_pattern", "has for \"\(pattern)\" no integer") }
      ranks.append((pattern, try fields.require("rank_pattern", rank, in: 1...Self.largestRank)))
    }
    for (pattern, value) in try Self.patterns("alpha_pattern", fields, members) {
      let alpha: Double
      switch value {
      case .integer(let integer): alpha = Double(integer)
      case .number(let number): alpha = number
      default: throw fields.error("alpha_pattern", "has for \"\(pattern)\" no number")
      }
      alphas.append((pattern, try fields.require("alpha_pattern", alpha, in: -Self.largestAlpha...Self.largestAlpha)))
    }
  }

  /// The members of a field of patterns. In PEFT they are regular expressions; names, with dots escaped or not and perhaps
  /// `^` before them, are what is written in practice.
  private static func patterns(
    _ field: String, _ fields: ConfigurationFields, _ members: [(name: String, value: JSONValue)]
  ) throws(WeightsError) -> [(pattern: String, value: JSONValue)] {
    let value = members.first { $0.name == field }?.value
    var patterns: [(String, JSONValue)] = []
    switch value {
    case nil, .null: return []
    case .object(let members):
      for (name, value) in members {
        let pattern = name.replacing("\\.", with: ".")
        let isName = (pattern.first == "^" ? pattern.dropFirst() : pattern[...]).utf8.allSatisfy { byte in
          switch byte {
          case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
          case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
          default: false
          }
        }
        guard isName else { throw fields.error(field, "has \"\(name.prefix(60))\", a regular expression, which is not supported") }
        patterns.append((pattern, value))
      }
    case .some(let value): throw fields.error(field, "is \(ConfigurationFields.text(value)), not an object")
    }
    return patterns
  }

  /// What the configuration says; nil if it says nothing.
  func rank(of module: String) -> Int? { ranks.first { Self.fits($0.pattern, module) }?.rank ?? rank }

  /// What the configuration says; nil if it says nothing.
  func alpha(of module: String) -> Double? { alphas.first { Self.fits($0.pattern, module) }?.alpha ?? alpha }

  /// A name fits its module, and without `^` also all whose last parts it is.
  private static func fits(_ pattern: String, _ module: String) -> Bool {
    if pattern.hasPrefix("^") { return pattern.dropFirst() == module }
    return module == pattern || module.hasSuffix("." + pattern)
  }
}
