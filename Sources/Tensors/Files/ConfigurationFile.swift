/// Reads a model's `config.json`.
public enum ConfigurationFile {
  /// The largest file that is read, in bytes: vocabularies are such files too.
  static let largest = 32 << 20

  /// - Throws: also when a field that `Value` needs is missing or of another type, or one is there twice.
  public static func read<Value: Decodable>(_: Value.Type = Value.self, path: String) throws(WeightsError) -> Value {
    let value = try value(path: path, largest: largest)
    do {
      return try JSONDecoding.decode(from: value)
    } catch {
      throw WeightsError(.malformed, path: path, "is not the JSON that this model needs: \(clause(for: error))")
    }
  }

  /// The file as a value, whatever its fields.
  ///
  /// - Parameter largest: the largest file that is read, in bytes.
  package static func value(path: String, largest: Int = 4 << 20) throws(WeightsError) -> JSONValue {
    let bytes = try ModelFile(path: path).contents(atMost: largest)
    do throws(JSONReader.Fault) { return try JSONValue(bytes) } catch { throw WeightsError(.malformed, path: path, error.reason) }
  }

  /// Reads the file as it passes by, for files that are large.
  ///
  /// - Parameter largest: the largest file that is read, in bytes.
  package static func read(
    path: String, largest: Int, _ body: (inout JSONReader) throws(WeightsError) -> Void
  ) throws(WeightsError) {
    try ModelFile(path: path).contents(atMost: largest).withUnsafeBufferPointer { bytes throws(WeightsError) in
      var reader = JSONReader(UnsafeRawBufferPointer(bytes))
      try body(&reader)
      do throws(JSONReader.Fault) { try reader.end() } catch { throw WeightsError(.malformed, path: path, error.reason) }
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
