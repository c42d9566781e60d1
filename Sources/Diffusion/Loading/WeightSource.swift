#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

import Files
import Tensors

/// Which file of a component's folder holds its tensors, or says which files do.
enum WeightSource: Equatable {
  case file(String)
  case index(String)

  /// diffusers' and transformers' names of the same thing.
  private static let stems = ["diffusion_pytorch_model", "model"]

  /// The single file before the shards, the plain ones before a variant.
  init(folder: String) throws(WeightsError) {
    let entries = try Self.entries(of: folder).filter { entry in Self.stems.contains { entry.hasPrefix($0 + ".") } }
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
      throw WeightsError(.notFound, path: folder, "has no weights: neither \(names) nor an index" + ForeignFile.others(in: folder))
    }
    self = only
  }

  /// `fp16` of `model.fp16.safetensors`. A shard, `model.fp16-00001-of-00002.safetensors`, is none.
  private static func middle(of entry: String, between start: String, and end: String) -> String? {
    guard entry.hasPrefix(start), entry.hasSuffix(end), entry.utf8.count > start.utf8.count + end.utf8.count else { return nil }
    let middle = entry.dropFirst(start.count).dropLast(end.count)
    return middle.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") } ? String(middle) : nil
  }

  private static func entries(of folder: String) throws(WeightsError) -> [String] {
    do throws(RegularFile.Failure) { return try RegularFile.names(in: folder) } catch {
      switch error {
      case .system(ENOENT): throw WeightsError(.notFound, path: folder, "does not exist")
      case .system(ENOTDIR): throw WeightsError(.unreadable, path: folder, "is not a folder")
      default: throw WeightsError(.unreadable, path: folder, "cannot be read as a folder")
      }
    }
  }
}
