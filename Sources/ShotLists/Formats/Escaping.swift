/// A JSON string (RFC 8259) with its quotes. Everything outside ASCII stays as UTF-8.
package func jsonString(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case "\u{0}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}": out += "\\u" + hex(scalar.value, width: 4)
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

/// A JSON number; `null` for what JSON has no number for.
package func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

func jsonNumber(_ value: UInt64?) -> String { value.map(String.init) ?? "null" }

/// Text for XML 1.0 character data and quoted attributes. Characters that XML cannot hold become U+FFFD; line breaks
/// and tabs become references, or a parser would turn them into spaces.
func xmlText(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "'": out += "&apos;"
    case "\t", "\n", "\r": out += "&#\(scalar.value);"
    case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}

/// `text` with every byte percent-encoded that cannot stand in the path of a URI (RFC 3986).
func uriPath(_ text: String) -> String {
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F:
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default: out += "%" + hex(UInt32(byte), width: 2).uppercased()
    }
  }
  return out
}

/// The path that a URI of a file means; another URI as it stands.
func filePath(ofURI uri: String) -> String {
  guard uri.hasPrefix("file://") else { return uri }
  return decoded(uri.dropFirst("file://".count).drop { $0 != "/" })
}

/// What stands behind the last slash of a URI, without its query; all of it if that is nothing.
package func fileName(ofURI uri: String) -> String {
  let path = uri.hasPrefix("file://") ? uri[...] : uri.prefix { $0 != "?" && $0 != "#" }
  let name = path.split(separator: "/").last ?? ""
  return name.isEmpty ? uri : decoded(name)
}

/// With %XX as bytes; what is not written so stands for itself.
private func decoded(_ text: Substring) -> String {
  var bytes: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    if byte == 0x25, let high = rest.first.flatMap(hexDigit), let low = rest.dropFirst().first.flatMap(hexDigit) {
      bytes.append(high << 4 | low)
      rest = rest.dropFirst(2)
    } else {
      bytes.append(byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}

/// `text` on one line: control characters and line separators become spaces.
func singleLine(_ text: String) -> String {
  var out = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": out.append(" ")
    default: out.append(scalar)
    }
  }
  return String(out)
}

/// Text of a WebVTT cue, on one line.
func cueText(_ text: String) -> String {
  var out = ""
  for scalar in singleLine(text).unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}

/// A field of a CSV file, quoted as RFC 4180 asks.
func csvField(_ text: String) -> String {
  guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else { return text }
  var out = "\""
  for scalar in text.unicodeScalars {
    if scalar == "\"" { out += "\"" }
    out.unicodeScalars.append(scalar)
  }
  return out + "\""
}

private func hex(_ value: UInt32, width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
