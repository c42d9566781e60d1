import Glibc
import Tensors
import Testing
import TransNet

@Suite("TransNetV2's weights")
struct WeightsTests {
  private static let model = bytes(of: models + "/model.safetensors")
  private static let configuration = bytes(of: models + "/config.json")
  private let temporary = TemporaryFolder()
  private var folder: String { temporary.path }

  @Test("Every cell has the layout that is documented")
  func layout() throws {
    let weights = try TransNetWeights(folder: models)
    #expect(weights.cells.map(\.inputs) == [3, 64, 64, 128, 128, 256])
    #expect(weights.cells.map(\.filters) == [16, 16, 32, 32, 64, 64])
    for cell in weights.cells {
      #expect(cell.spatial.count == 9 * cell.inputs * 8 * cell.filters)
      #expect(cell.temporal.map(\.count) == [Int](repeating: 3 * 2 * cell.filters * cell.filters, count: 4))
      #expect(cell.bias.count == 4 * cell.filters)
    }
    #expect(weights.hidden.weights.count == 4864 * 1024)
  }

  @Test("Without a folder, a configuration or a model, the missing file is named")
  func missing() {
    #expect(failure(in: "/nonexistent/models") == WeightsError(.notFound, path: "/nonexistent/models/config.json", "does not exist"))
    write(Self.configuration, "config.json")
    #expect(failure(in: folder) == WeightsError(.notFound, path: folder + "/model.safetensors", "does not exist"))
  }

  @Test("Another network's configuration is refused")
  func otherNetwork() {
    let text = String(decoding: Self.configuration, as: UTF8.self)
    write(Array(text.split(separator: "1024").joined(separator: "1025").utf8), "config.json")
    write(Self.model, "model.safetensors")
    #expect(failure(in: folder)?.kind == .malformed)
    #expect(failure(in: folder)?.path == folder + "/config.json")
  }

  /// Overwrites, in the header, the first `old` by `new`, which is as long.
  static let edits = [
    ("\"fc1.bias\"", "\"fc9.bias\"", "fc1.bias", "missing"),
    ("\"shape\":[128,448]", "\"shape\":[448,128]", "frame_sim_layer.projection.weight", "not [128, 448]"),
    ("\"F32\",\"shape\":[32,3,1,3,3]", "\"I32\",\"shape\":[32,3,1,3,3]", "SDDCNN.0.DDCNN.0.Conv3D_1.layers.0.weight", "int32"),
  ]

  @Test("A tensor of another name, shape or type is refused and named", arguments: edits)
  func edit(old: String, new: String, tensor: String, word: String) throws {
    var model = Self.model
    let header = 8..<40_000
    let place = try #require(header.first { model[$0...].starts(with: old.utf8) })
    model.replaceSubrange(place..<place + old.utf8.count, with: new.utf8)
    write(Self.configuration, "config.json")
    write(model, "model.safetensors")
    let error = try #require(failure(in: folder))
    #expect(error.kind == .malformed)
    #expect(error.tensor == tensor)
    #expect(error.reason.contains(word), "\(error)")
  }

  @Test("A model that is truncated is refused")
  func truncated() {
    write(Self.configuration, "config.json")
    for count in [0, 7, 8, 1000, 100_000, Self.model.count - 1] {
      write(Array(Self.model[..<count]), "model.safetensors")
      #expect(failure(in: folder)?.kind == .malformed)
    }
  }

  @Test("A NaN anywhere in the data is refused and its tensor named", arguments: [0.1, 0.5, 0.999])
  func notANumber(place: Double) {
    var model = Self.model
    let index = Int(Double(model.count) * place) / 8 * 8
    for byte in index..<index + 8 { model[byte] = 0xff }
    write(Self.configuration, "config.json")
    write(model, "model.safetensors")
    #expect(failure(in: folder)?.reason == "has an infinite value or a NaN")
    #expect(failure(in: folder)?.tensor != nil)
  }

  private func failure(in folder: String) -> WeightsError? {
    do throws(WeightsError) {
      _ = try TransNetWeights(folder: folder)
      return nil
    } catch { return error }
  }

  private func write(_ bytes: [UInt8], _ name: String) {
    guard let file = fopen("\(folder)/\(name)", "wb") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}
