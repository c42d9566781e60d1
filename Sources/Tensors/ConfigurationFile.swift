import FoundationEssentials

/// Reads a model's `config.json`.
public enum ConfigurationFile {
  /// - Throws: also when a field that `Value` needs is missing or of another type.
  public static func read<Value: Decodable>(_: Value.Type = Value.self, path: String) throws(WeightsError) -> Value {
    let file = try MappedFile(path: path)
    do {
      return try JSONDecoder().decode(Value.self, from: Data(file.bytes))
    } catch {
      throw WeightsError(.malformed, path: path, "is not the JSON that this model needs: \(clause(for: error))")
    }
  }

  /// What is wrong in a decoder's error, without Swift's names.
  private static func clause(for error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it cannot be decoded" }
    switch error {
    case .keyNotFound(let key, _): return "it has no \"\(key.stringValue)\""
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" is of another type"
    case .dataCorrupted(let context): return context.debugDescription
    @unknown default: return "it cannot be decoded"
    }
  }
}
