import Files

/// Files that lie where a model's file should be, and what to say of them.
package enum ForeignFile {
  /// Git LFS itself takes nothing longer for a pointer.
  static let longestPointer = 1023

  /// What a small file says that stands for a large one, as a clause; nil of any other file.
  ///
  /// A repository that was cloned without Git LFS, or without git-annex, has such files in the place of its weights.
  /// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
  static func pointer(_ bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes.prefix(longestPointer), as: UTF8.self)
    if text.hasPrefix("version https://git-lfs.github.com/spec/") || text.hasPrefix("version https://hawser.github.com/spec/") {
      let sizes = text.split(whereSeparator: \.isNewline).compactMap { $0.hasPrefix("size ") ? Int($0.dropFirst(5)) : nil }
      let size = sizes.first.map { "of \($0) bytes " } ?? ""
      return "is a Git LFS pointer, not the file \(size)that it stands for: run \"git lfs pull\" where it was cloned"
    }
    if text.hasPrefix("/annex/objects/") {
      return "is a pointer of git-annex, not the file that it stands for: run \"git annex get\" where it was cloned"
    }
    return nil
  }

  /// What a file is that is no safetensors file, by its first bytes, as a clause; nil if it is not known.
  static func kind(_ bytes: [UInt8]) -> String? {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    let text = String(decoding: bytes.prefix(64), as: UTF8.self).lowercased()
    let page = text.drop { $0.isWhitespace || $0 == "\u{feff}" }
    switch true {
    case begins("PK\u{3}\u{4}"), bytes.count > 1 && bytes[0] == 0x80 && 2...5 ~= bytes[1]:
      return "is a file that PyTorch pickled, not a safetensors file: \(conversion)"
    case begins("GGUF"): return "is a GGUF file, not a safetensors file"
    case page.hasPrefix("<!doctype html"), page.hasPrefix("<html"): return "is a web page, not a safetensors file: the download failed"
    default: return nil
    }
  }

  /// What to do with weights that only Python can read.
  package static let conversion = "save the model anew with save_pretrained(…, safe_serialization=True)"

  /// What a folder has in the place of weights, of what Python's libraries write, to be told behind what it has not; empty if there is
  /// nothing of the kind.
  package static func others(in folder: String, conversion: String = Self.conversion) -> String {
    let endings = [".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".msgpack", ".h5", ".gguf", ".onnx", ".npz"]
    let names = (try? RegularFile.names(in: folder)) ?? []
    let others = names.filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
    guard let first = others.first else { return "" }
    let more = others.count > 1 ? " and \(others.count - 1) more like it" : ""
    return ", but \(first)\(more), which is not read: \(conversion)"
  }
}
