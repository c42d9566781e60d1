import Diffusion
import Tensors
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The error that an operation ends with; nil if it does not.
func failure(_ operation: () throws(WeightsError) -> Void) -> WeightsError? {
  do throws(WeightsError) {
    try operation()
    return nil
  } catch { return error }
}

@Suite("Weight files")
struct WeightFilesTests {
  private let folder = TemporaryFolder()
  private let one = safetensors([("a", [2, 3], [1, 2, 3, 4, 5, 6]), ("b", [1], [7])])
  private let two = safetensors([("c", [2], [8, 9])])
  private let map =
    "{\"metadata\":{\"total_size\":36},\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-1.safetensors\",\"c\":\"model-2.safetensors\"}}"

  private func index(_ text: String) { folder.write(Array(text.utf8), name: "model.safetensors.index.json") }

  @Test("A single file is read under either library's name", arguments: ["model.safetensors", "diffusion_pytorch_model.safetensors"])
  func single(name: String) throws {
    let path = folder.write(one, name: name)
    let weights = try WeightFiles(folder: folder.path)
    #expect(weights.path == path)
    #expect(weights.names == ["a", "b"])
    #expect(weights.byteCount == 28)
    #expect(weights.contains("a") && !weights.contains("c"))
    #expect(weights["a"]?.shape == [2, 3])
    #expect(weights["c"] == nil)
    #expect(try weights.floats("a", shape: [2, 3]) == [1, 2, 3, 4, 5, 6])
    #expect(try weights.tensor("b", shape: [1]).floats() == [7])
  }

  @Test("Shards are read as the index says, and tensors that it does not name are not there")
  func shards() throws {
    folder.write(one, name: "model-1.safetensors")
    folder.write(safetensors([("c", [2], [8, 9]), ("d", [1], [0])]), name: "model-2.safetensors")
    index(map)
    let weights = try WeightFiles(folder: folder.path)
    #expect(weights.names == ["a", "b", "c"])
    #expect(weights.byteCount == 36)
    #expect(try weights.floats("c", shape: [2]) == [8, 9])
  }

  @Test("The plain file comes before the index, the index before a variant, and the only variant is read")
  func preference() throws {
    folder.write(safetensors([("v", [1], [1])]), name: "model.fp16.safetensors")
    #expect(try WeightFiles(folder: folder.path).names == ["v"])
    folder.write(one, name: "model-1.safetensors")
    folder.write(two, name: "model-2.safetensors")
    index(map)
    #expect(try WeightFiles(folder: folder.path).names == ["a", "b", "c"])
    folder.write(one, name: "model.safetensors")
    #expect(try WeightFiles(folder: folder.path).names == ["a", "b"])
  }

  @Test("Of several variants none is guessed, and a folder without weights says so")
  func variants() {
    #expect(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) }?.kind == .notFound)
    #expect(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path + "/none") }?.kind == .notFound)
    folder.write(one, name: "model.fp16.safetensors")
    folder.write(one, name: "model.bf16.safetensors")
    let error = failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) }
    #expect(error?.kind == .malformed)
    #expect(error?.reason.contains("bf16, fp16") == true)
  }

  @Test(
    "An index that names absent files or tensors, leads out of the folder, or is none is refused, and says what is wrong",
    arguments: [
      ("{\"weight_map\":{\"a\":\"model-3.safetensors\"}}", nil, "does not exist"),
      ("{\"weight_map\":{\"x\":\"model-1.safetensors\"}}", "x", "is missing"),
      ("{\"weight_map\":{\"c\":\"model-1.safetensors\"}}", "c", "is missing"),
      ("{\"weight_map\":{\"a\":\"../model-1.safetensors\"}}", "a", "no name of a safetensors file"),
      ("{\"weight_map\":{\"a\":\"/model-1.safetensors\"}}", "a", "no name of a safetensors file"),
      ("{\"weight_map\":{\"a\":\"model-1.safetensors\\u0000.safetensors\"}}", "a", "no name of a safetensors file"),
      ("{\"weight_map\":{\"a\":\"model.bin\"}}", "a", "no name of a safetensors file"),
      ("{\"weight_map\":{\"a\":1}}", "a", "in no file"),
      ("{\"weight_map\":{\"a\":\"model-1.safetensors\",\"\\u0061\":\"model-1.safetensors\"}}", "a", "twice"),
      ("{\"weight_map\":{\"a\":\"model-1.safetensors\"},\"weight_map\":{}}", nil, "twice"),
      ("{\"weight_map\":{\"a\":\"model-1.safetensors\"}}}", nil, "no JSON"),
      ("{\"weight_map\":{}}", nil, "no tensors"),
      ("{\"weight_map\":[]}", nil, "weight_map"),
      ("{}", nil, "weight_map"),
      ("[]", nil, "weight_map"),
      ("", nil, "is empty"),
    ] as [(String, String?, String)])
  func badIndex(text: String, tensor: String?, words: String) throws {
    folder.write(one, name: "model-1.safetensors")
    index(text)
    let error = try #require(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) })
    #expect(error.tensor == tensor)
    #expect(error.reason.contains(words), "\(error)")
    #expect(error.path.hasPrefix(folder.path))
  }

  @Test("A truncated shard is refused, and named")
  func truncatedShard() throws {
    folder.write(one, name: "model-1.safetensors")
    let path = folder.write(two.dropLast(), name: "model-2.safetensors")
    index(map)
    let error = try #require(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) })
    #expect(error.kind == .malformed)
    #expect(error.path == path)
  }

  @Test("All that a model needs is checked before it is read, and what it does not need is listed")
  func expectations() throws {
    let path = folder.write(one, name: "model.safetensors")
    let weights = try WeightFiles(folder: folder.path)
    #expect(try weights.check([ExpectedTensor("a", [2, 3])]) == ["b"])
    #expect(try weights.check([ExpectedTensor("a", [2, 3]), ExpectedTensor("b", [1])]) == [])
    for (wanted, words) in [
      (ExpectedTensor("x", [1]), "is missing"), (ExpectedTensor("a", [3, 2]), "[2, 3], not [3, 2]"),
      (ExpectedTensor("a", [2, 3], types: [.int64]), "is float32, not int64"),
    ] {
      let error = try #require(failure { () throws(WeightsError) in try weights.check([ExpectedTensor("b", [1]), wanted]) })
      #expect(error.path == path)
      #expect(error.tensor == wanted.name)
      #expect(error.reason.contains(words))
    }
  }

  @Test("A header of 60,000 tensors opens in under a second")
  func largeHeader() throws {
    let entries = (0..<60_000).map { index in
      "\"transformer_blocks.\(index / 100).attn1.to_q.\(index).weight\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[\(4 * index),\(4 * index + 4)]}"
    }
    let path = folder.write(
      safetensors(header: "{\(entries.joined(separator: ","))}", data: [UInt8](repeating: 0, count: 240_000)), name: "model.safetensors")
    var weights: WeightFiles?
    let time = try processorTime { weights = try WeightFiles(file: path) }
    #expect(weights?.byteCount == 240_000)
    #expect(time < .seconds(1))
  }

  @Test("A file that is cut short or written to while it is open is an error, and no signal", arguments: [0, 64, 4096, 1 << 20])
  func cutShort(size: Int) throws {
    let count = 1 << 19
    let header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[\(count)],\"data_offsets\":[0,\(4 * count)]}}"
    let path = folder.write(safetensors(header: header, data: [UInt8](repeating: 0, count: 4 * count)), name: "model.safetensors")
    let weights = try WeightFiles(file: path)
    #expect(try weights.floats("a", shape: [count]).count == count)
    #expect(truncate(path, off_t(size)) == 0)
    for _ in 0..<2 {
      let error = try #require(failure { () throws(WeightsError) in _ = try weights.floats("a", shape: [count]) })
      #expect(error.kind == .unreadable && error.path == path && error.reason.contains("cut short"))
    }
    // At its old length it is another all the same.
    #expect(truncate(path, off_t(8 + header.utf8.count + 4 * count)) == 0)
    #expect(failure { () throws(WeightsError) in _ = try weights.floats("a", shape: [count]) }?.reason.contains("written to") == true)
    // Whoever opens it anew may read it, if what was cut off was not its header.
    if size >= 4096 { #expect(try WeightFiles(file: path)["a"]?.floats()?.count == count) }
  }

  @Test("Nothing of a file is mapped: a mapping that is cut short ends the process")
  func noMapping() throws {
    let path = folder.write(one, name: "model.safetensors")
    let weights = try WeightFiles(file: path)
    #expect(try weights["a"]?.floats() != nil)
    let maps = try #require(fopen("/proc/self/maps", "r"))
    defer { fclose(maps) }
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, Int32(line.count), maps) != nil {
      #expect(!String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).contains(path))
    }
  }

  @Test(
    "A folder whose weights are of another kind is told so",
    arguments: [
      ("diffusion_pytorch_model.bin", "diffusion_pytorch_model.bin, which"), ("pytorch_model-00001-of-00002.bin", "pytorch_model-00001"),
      ("pytorch_model.bin.index.json", "pytorch_model.bin.index.json"), ("model.ckpt", "model.ckpt"), ("tf_model.h5", "tf_model.h5"),
    ])
  func otherKinds(name: String, words: String) throws {
    folder.write([1], name: name)
    let error = try #require(failure { () throws(WeightsError) in _ = try WeightFiles(folder: folder.path) })
    #expect(error.kind == .notFound && error.reason.contains(words) && error.reason.contains("safe_serialization"))
  }
}
