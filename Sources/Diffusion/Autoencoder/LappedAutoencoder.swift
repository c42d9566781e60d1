import Tensors

/// Frames ↔ latents by one matrix each way, frame by frame: a latent sees a window of pixels that overlaps its neighbours', and is
/// drawn over as large a one, so that blocks leave no edges.
///
/// The folder has a `config.json` with `in_channels`, `latent_channels`, `block_size` (the step from window to window, and what a
/// latent's side stands for), `kernel_size` (the window) and `scaling_factor`, and the tensors `encoder.weight`
/// `[latents][channels][window][window]`, `encoder.bias`, `decoder.weight` of the same shape and `decoder.bias` `[channels]`: PyTorch's
/// Conv2d and ConvTranspose2d with that kernel and step, padded by half their difference.
///
/// Always in float32, which costs next to nothing. To be used by one caller at a time.
///
/// Source: this project's training/scene/autoencoder.py; Malvar and Staelin, "The LOT", https://doi.org/10.1109/29.17536.
public final class LappedAutoencoder: Autoencoder {
  static let className = "AutoencoderLapped"

  /// Numbers of a latent, 1 … 1024.
  public let latentChannels: Int
  /// Numbers of a pixel of the frames, 1 … 64.
  public let channels: Int
  /// Pixels from window to window.
  public let block: Int
  /// Pixels of a window's side.
  public let window: Int
  private let scalingFactor: Float
  private let compute: Compute
  private let encoder: Linear
  private let decoder: Linear
  private let decoderBias: [Float]

  /// Pixels from window to window, 1 … 64.
  public var spatialCompression: Int { block }
  /// Frames have latents of their own.
  public var temporalCompression: Int { 1 }
  /// As many as frames.
  public func latents(frames count: Int) -> Int { count }
  /// As many as latent frames.
  public func frames(latents count: Int) -> Int { count }

  /// - Throws: a file is missing or damaged, a field is out of range, a tensor is missing or of another shape.
  public init(folder: String, compute: Compute) throws(WeightsError) {
    let fields = try ConfigurationFields(path: folder + "/config.json")
    try fields.className([Self.className])
    let channels = try fields.integer("in_channels", default: 3, in: 1...64)
    let latents = try fields.integer("latent_channels", default: 32, in: 1...1024)
    let block = try fields.integer("block_size", default: 8, in: 1...64)
    let window = try fields.integer("kernel_size", default: 16, in: block...4 * block)
    guard (window - block) % 2 == 0 else {
      throw fields.error("kernel_size", "is \(window), which a padding of half of what it has over \(block) does not fit")
    }
    guard try fields.integer("temporal_compression_ratio", default: 1, in: 1...256) == 1 else {
      throw fields.error("temporal_compression_ratio", "is not 1: frames have latents of their own")
    }
    scalingFactor = Float(try fields.number("scaling_factor", default: 1, in: 1e-6...1e6))
    let weights = try WeightFiles(folder: folder)
    let shape = [latents, channels, window, window]
    let area = window * window
    func layers(_ reader: WeightReader) throws(WeightsError) -> (encoder: Linear, decoder: Linear, decoderBias: [Float]) {
      /// [latents][channels][pixels] → [latents][pixels][channels], channels innermost as in frames.
      func pixels(_ read: @escaping () throws(WeightsError) -> [Float]) -> () throws(WeightsError) -> [Float] {
        { () throws(WeightsError) in
          let values = try read()
          var result = [Float](repeating: 0, count: values.count)
          for latent in 0..<latents {
            for channel in 0..<channels {
              for pixel in 0..<area {
                result[(latent * area + pixel) * channels + channel] = values[(latent * channels + channel) * area + pixel]
              }
            }
          }
          return result
        }
      }
      let encoding = pixels(reader.later("encoder.weight", shape, type: .float32))
      let encoder = Linear(
        inputs: area * channels, outputs: latents, bias: try reader.floats("encoder.bias", [latents]), type: .float32, weights: encoding)
      let decoding = pixels(reader.later("decoder.weight", shape, type: .float32))
      let decoder = Linear(inputs: latents, outputs: area * channels, bias: nil, type: .float32) {
        let values = try decoding()
        let rows = area * channels
        return (0..<values.count).map { values[$0 % latents * rows + $0 / latents] }
      }
      return (encoder, decoder, try reader.floats("decoder.bias", [channels]))
    }
    try weights.check(WeightReader.demand(of: weights) { (reader) throws(WeightsError) in _ = try layers(reader) }.tensors)
    (encoder, decoder, decoderBias) = try layers(WeightReader(weights))
    (self.channels, latentChannels, self.block, self.window, self.compute) = (channels, latents, block, window, compute)
  }

  /// Of some lines and columns of a window, those in a frame: where they begin in the frame and in the window, and how many they are.
  private func inside(_ index: Int, of size: Int) -> (frame: Int, window: Int, count: Int) {
    let first = index * block - (window - block) / 2
    let begin = max(0, first)
    return (begin, begin - first, min(size, first + window) - begin)
  }

  /// Calls `body` with the index of each piece of a line that a window and its frame share, in numbers, and how many they are.
  private func forEachLine(
    _ row: Int, _ column: Int, _ height: Int, _ width: Int, _ body: (_ frame: Int, _ window: Int, _ count: Int) -> Void
  ) {
    let (lines, columns) = (inside(row, of: height), inside(column, of: width))
    for line in 0..<lines.count {
      body(
        ((lines.frame + line) * width + columns.frame) * channels, ((lines.window + line) * window + columns.window) * channels,
        columns.count * channels)
    }
  }

  /// Tiles would change nothing: memory besides the frames is that of one frame's windows.
  public func encode(_ frames: Frames, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}) throws -> Latents {
    guard frames.count > 0, frames.height > 0, frames.width > 0, frames.height % block == 0, frames.width % block == 0 else {
      throw DiffusionError.size("frames are \(frames.count) of \(frames.width)×\(frames.height), not multiples of \(block)")
    }
    guard frames.channels == channels, frames.type == .float32 else {
      throw DiffusionError.size("frames have \(frames.channels) channels of \(frames.type), not \(channels) of float32")
    }
    let (rows, columns) = (frames.height / block, frames.width / block)
    let area = rows * columns
    let windows = Matrix(rows: area, columns: window * window * channels)
    var latents = Latents(
      [Float](repeating: 0, count: frames.count * latentChannels * area), frames: frames.count, channels: latentChannels, height: rows,
      width: columns)
    for frame in 0..<frames.count {
      try check()
      let source = frames.matrix.row(frame * frames.height * frames.width)
      try compute.forEach(area) { place, _ in
        // What lies beyond the frame's edges stays zero.
        forEachLine(place / columns, place % columns, frames.height, frames.width) { from, to, count in
          (windows.row(place) + to * 4).copyMemory(from: source + from * 4, byteCount: count * 4)
        }
      }
      let values = try encoder(windows, on: compute).floats()
      for place in 0..<area {
        for channel in 0..<latentChannels {
          latents.values[(frame * latentChannels + channel) * area + place] = values[place * latentChannels + channel] * scalingFactor
        }
      }
    }
    return latents
  }

  /// Frame by frame, one for each call of `emit`; tiles would change nothing.
  ///
  /// - Throws: ``DiffusionError/size(_:)`` for no latents, or latents of other channels.
  public func decode(
    _ latents: Latents, tiling: Tiling? = nil, check: @escaping () throws -> Void = {}, emit: (Frames) throws -> Void
  ) throws {
    guard latents.channels == latentChannels, latents.frames > 0, latents.height > 0, latents.width > 0 else {
      throw DiffusionError.size(
        "latents are \(latents.frames) of \(latents.width)×\(latents.height) with \(latents.channels) channels, not \(latentChannels)")
    }
    let (rows, columns) = (latents.height, latents.width)
    let (area, height, width) = (rows * columns, rows * block, columns * block)
    // Windows of rows so far apart share no pixels.
    let apart = (window + block - 1) / block
    for frame in 0..<latents.frames {
      try check()
      var values = [Float](repeating: 0, count: area * latentChannels)
      for channel in 0..<latentChannels {
        for place in 0..<area {
          values[place * latentChannels + channel] = latents.values[(frame * latentChannels + channel) * area + place] / scalingFactor
        }
      }
      let windows = try decoder(Matrix(values, rows: area, columns: latentChannels), on: compute)
      let result = Frames(count: 1, height: height, width: width, channels: channels)
      let numbers = result.matrix.base.assumingMemoryBound(to: Float.self)
      for pixel in 0..<height * width { for channel in 0..<channels { numbers[pixel * channels + channel] = decoderBias[channel] } }
      for first in 0..<min(apart, rows) {
        try compute.forEach((rows - first + apart - 1) / apart) { index, _ in
          let row = first + index * apart
          for column in 0..<columns {
            let source = UnsafePointer(windows.row(row * columns + column).assumingMemoryBound(to: Float.self))
            forEachLine(row, column, height, width) { to, from, count in
              for number in 0..<count { numbers[to + number] += source[from + number] }
            }
          }
        }
      }
      try emit(result)
    }
  }
}
