import Diffusion
import Tensors
import Testing

/// Numbers from −1 to 1 that are the same in every run.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
  NoiseGenerator(seed: seed, segment: 0, stream: .start).values(count: count).map { min(max($0 / 3, -1), 1) }
}

/// A folder of a lapped autoencoder of random weights.
final class LappedFolder {
  static let (channels, latents, block, window) = (3, 4, 8, 14)
  let folder = TemporaryFolder()
  let encoder = (weight: numbers(latents * channels * window * window, seed: 1), bias: numbers(latents, seed: 2))
  let decoder = (weight: numbers(latents * channels * window * window, seed: 3), bias: numbers(channels, seed: 4))

  /// - Parameters:
  ///   - fields: of the configuration, in place of what they are here.
  ///   - without: a tensor that is left out.
  init(_ fields: [String: String] = [:], without: String? = nil) {
    let shape = [Self.latents, Self.channels, Self.window, Self.window]
    let tensors: [(name: String, shape: [Int], values: [Float])] = [
      ("encoder.weight", shape, encoder.weight), ("encoder.bias", [Self.latents], encoder.bias),
      ("decoder.weight", shape, decoder.weight), ("decoder.bias", [Self.channels], decoder.bias),
    ]
    folder.write(safetensors(tensors.filter { $0.name != without }), name: "diffusion_pytorch_model.safetensors")
    var all = [
      "_class_name": "\"AutoencoderLapped\"", "latent_channels": "4", "block_size": "8", "kernel_size": "14", "scaling_factor": "0.5",
    ]
    all.merge(fields) { $1 }
    let configuration = "{" + all.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
    folder.write(Array(configuration.utf8), name: "config.json")
  }

  func load(threads: Int = 2) throws -> LappedAutoencoder {
    try LappedAutoencoder(folder: folder.path, compute: Compute(.float32, threads: threads))
  }
}

@Suite("Lapped autoencoders")
struct LappedAutoencoderTests {
  let folder = LappedFolder()

  /// The frame's pixel under one of a window, or nil beyond the edges.
  private func place(_ block: Int, _ pixel: Int, of size: Int) -> Int? {
    let index = block * LappedFolder.block + pixel - (LappedFolder.window - LappedFolder.block) / 2
    return 0..<size ~= index ? index : nil
  }

  @Test("Latents are PyTorch's strided convolution of each frame, and frames its transposed one", arguments: [(1, 1), (2, 3), (4, 2)])
  func definition(rows: Int, columns: Int) throws {
    let autoencoder = try folder.load()
    let (height, width, area) = (8 * rows, 8 * columns, LappedFolder.window * LappedFolder.window)
    let frames = Frames(planes: numbers(2 * 3 * height * width, seed: 5), channels: 3, count: 2, height: height, width: width)
    let latents = try autoencoder.encode(frames)
    let pixels = frames.planes()
    var expected: [Float] = []
    for frame in 0..<2 {
      for latent in 0..<4 {
        for row in 0..<rows {
          for column in 0..<columns {
            var sum = Double(folder.encoder.bias[latent])
            for channel in 0..<3 {
              for pixel in 0..<area {
                guard let y = place(row, pixel / 14, of: height), let x = place(column, pixel % 14, of: width) else { continue }
                sum +=
                  Double(pixels[((channel * 2 + frame) * height + y) * width + x])
                  * Double(folder.encoder.weight[(latent * 3 + channel) * area + pixel])
              }
            }
            expected.append(Float(sum / 2))
          }
        }
      }
    }
    #expect(difference(latents.values, from: expected) < 1e-5)

    var decoded: [Frames] = []
    try autoencoder.decode(latents) { decoded.append($0) }
    #expect(decoded.map(\.count) == [1, 1])
    for (frame, result) in decoded.enumerated() {
      var drawn = (0..<3 * height * width).map { Double(folder.decoder.bias[$0 / (height * width)]) }
      for latent in 0..<4 {
        for block in 0..<rows * columns {
          let value = Double(latents.values[(frame * 4 + latent) * rows * columns + block]) / 0.5
          for channel in 0..<3 {
            for pixel in 0..<area {
              guard let y = place(block / columns, pixel / 14, of: height), let x = place(block % columns, pixel % 14, of: width) else {
                continue
              }
              drawn[(channel * height + y) * width + x] += value * Double(folder.decoder.weight[(latent * 3 + channel) * area + pixel])
            }
          }
        }
      }
      #expect(difference(result.planes(), from: drawn.map { Float($0) }) < 1e-5)
    }
    // The same on any number of threads.
    var others: [Frames] = []
    try folder.load(threads: 1).decode(latents) { others.append($0) }
    #expect(others.map { $0.planes() } == decoded.map { $0.planes() })
  }

  @Test("Frames have latents of their own")
  func counts() throws {
    let autoencoder = try folder.load()
    #expect(autoencoder.latents(frames: 7) == 7 && autoencoder.frames(latents: 7) == 7)
    #expect(autoencoder.temporalCompression == 1 && autoencoder.spatialCompression == 8 && autoencoder.latentChannels == 4)
  }

  @Test("Frames and latents of another size are errors, and so is a check that throws")
  func sizes() throws {
    let autoencoder = try folder.load()
    for (count, height, width, channels) in [(0, 8, 8, 3), (1, 8, 12, 3), (1, 8, 8, 4), (1, 0, 8, 3)] {
      #expect(throws: DiffusionError.self) {
        try autoencoder.encode(Frames(count: count, height: height, width: width, channels: channels))
      }
    }
    let latents = Latents(Array(repeating: 0, count: 5), frames: 1, channels: 5, height: 1, width: 1)
    #expect(throws: DiffusionError.self) { try autoencoder.decode(latents) { _ in } }
    struct Stop: Error {}
    #expect(throws: Stop.self) { try autoencoder.encode(Frames(count: 1, height: 8, width: 8, channels: 3)) { throw Stop() } }
  }

  @Test(
    "A damaged configuration is one error that names what is wrong",
    arguments: [
      ("kernel_size", "11", "kernel_size"), ("kernel_size", "4", "kernel_size"),
      ("temporal_compression_ratio", "4", "temporal_compression_ratio"),
      ("scaling_factor", "0", "scaling_factor"), ("latent_channels", "5", "encoder."),
      ("_class_name", "\"AutoencoderTiny\"", "AutoencoderTiny"),
    ])
  func damaged(field: String, value: String, complaint: String) throws {
    let error = #expect(throws: WeightsError.self) { _ = try LappedFolder([field: value]).load() }
    #expect(error.map { "\($0)".contains(complaint) } == true)
  }

  @Test("A missing tensor is an error that names it", arguments: ["encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias"])
  func missing(name: String) throws {
    let error = #expect(throws: WeightsError.self) { _ = try LappedFolder(without: name).load() }
    #expect(error.map { "\($0)".contains(name) } == true)
  }
}
