/// The bytes of a safetensors file.
///
/// - Parameter length: what the file says of its header; nil for the truth.
func safetensors(header: String, data: [UInt8], length: UInt64? = nil) -> [UInt8] {
  let header = Array(header.utf8)
  let length = length ?? UInt64(header.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + data
}

/// The bytes of a safetensors file of float32 tensors.
func safetensors(_ tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String] = [:]) -> [UInt8] {
  var entries = metadata.isEmpty ? [] : ["\"__metadata__\":{\(metadata.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ","))}"]
  var data: [UInt8] = []
  for tensor in tensors {
    let end = data.count + 4 * tensor.values.count
    entries.append("\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":\(tensor.shape),\"data_offsets\":[\(data.count),\(end)]}")
    data += tensor.values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
  }
  return safetensors(header: "{\(entries.joined(separator: ","))}", data: data)
}

/// A string as JSON.
func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
}
