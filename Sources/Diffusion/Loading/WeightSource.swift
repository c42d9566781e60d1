#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

import Tensors

/// Which file of a component's folder holds its tensors, or says which files do.
enum WeightSource: Equatable {
  case file(String)
  case index(String)

  /// diffusers' and transformers' names of the same thing.
  private static let stems = ["diffusion_pytorch_model", "model"]

  /// The single file before the shards, the plain ones before a variant.
  init(folder: String) throws(WeightsError) {
    let all = try Self.entries(of: folder)
    let entries = all.filter { entry in Self.stems.contains { entry.hasPrefix($0 + ".") } }
    for stem in Self.stems {
      if entries.contains(stem + ".safetensors") {
        self = .file(stem + ".safetensors")
        return
      }
      if entries.contains(stem + ".safetensors.index.json") {
        self = .index(stem + ".safetensors.index.json")
        return
      }
    }
    var variants: [String: WeightSource] = [:]
    for stem in Self.stems {
      for entry in entries {
        if let variant = Self.middle(of: entry, between: stem + ".", and: ".safetensors") {
          variants[variant] = .file(entry)
        } else if let variant = Self.middle(of: entry, between: stem + ".safetensors.index.", and: ".json"), variants[variant] == nil {
          variants[variant] = .index(entry)
        }
      }
    }
    guard variants.count <= 1 else {
      let names = variants.keys.sorted().prefix(8).joined(separator: ", ")
      throw WeightsError(.malformed, path: folder, "has several variants of its weights (\(names)) and none without a variant's name")
    }
    guard let only = variants.values.first else {
      let names = Self.stems.map { $0 + ".safetensors" }.joined(separator: " nor ")
      throw WeightsError(.notFound, path: folder, "has no weights: neither \(names) nor an index" + Self.others(in: all))
    }
    self = only
  }

  /// `fp16` of `model.fp16.safetensors`. A shard, `model.fp16-00001-of-00002.safetensors`, is none.
  private static func middle(of entry: String, between start: String, and end: String) -> String? {
    guard entry.hasPrefix(start), entry.hasSuffix(end), entry.utf8.count > start.utf8.count + end.utf8.count else { return nil }
    let middle = entry.dropFirst(start.count).dropLast(end.count)
    return middle.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") } ? String(middle) : nil
  }

  /// What a folder has in the place of weights, to be told behind what it has not; empty if there is nothing of the kind.
  static func others(in entries: Set<String>) -> String {
    let others = ForeignFile.otherWeights(entries)
    guard let first = others.first else { return "" }
    let more = others.count > 1 ? " and \(others.count - 1) more like it" : ""
    return ", but \(first)\(more), which is not read: \(ForeignFile.conversion)"
  }

  /// The names in a folder.
  static func entries(of folder: String) throws(WeightsError) -> Set<String> {
    guard let directory = opendir(folder) else {
      let code = errno
      if code == ENOENT { throw WeightsError(.notFound, path: folder, "does not exist") }
      throw WeightsError(.unreadable, path: folder, code == ENOTDIR ? "is not a folder" : "cannot be read as a folder")
    }
    defer { closedir(directory) }
    var entries: Set<String> = []
    // A folder of millions of files is no model's.
    while entries.count < 100_000, let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      entries.insert(name)
    }
    return entries
  }
}
