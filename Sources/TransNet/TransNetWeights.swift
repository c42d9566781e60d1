import Tensors

/// The weights of TransNetV2, read, checked and with every BatchNorm folded into the convolution before it.
///
/// Network, symbols and numbers: Souček and Lokoč, "TransNet V2" (https://arxiv.org/abs/2008.04838), with F = 16, L = 3,
/// S = 2, D = 1024. All arrays are float32, row-major, 30 MB together.
///
/// Reading takes tens of milliseconds and blocks on the disk: not for a streaming thread.
public struct TransNetWeights: Sendable {
  /// The six DDCNN cells in the order in which they run, two a stack.
  public let cells: [Cell]
  /// 448 → 128: the spatial means of the three pooled stacks (64, 128, 256 channels), before their L2 norm.
  public let similarityProjection: Dense
  /// 101 → 128: the band of similarities, before ReLU. Entry k of the band of frame t compares it with frame t + k − 50.
  public let similarity: Dense
  /// 101 → 128: the band of colour histograms, before ReLU.
  public let histogram: Dense
  /// 4864 → 1024, before ReLU. Inputs: 128 of ``histogram``, 128 of ``similarity``, then the last stack's 3 × 6 × 256
  /// features in the order height, width, channel.
  public let hidden: Dense
  /// 1024 → 1, before the sigmoid: the frame is the last of a shot, or the middle of a gradual transition.
  public let oneHot: Dense
  /// 1024 → 1, before the sigmoid: the frame lies in a transition.
  public let manyHot: Dense
  /// What activations are scaled by where they are bytes.
  public let ranges: ActivationRanges

  /// Reads a model's folder, as `training/transnetv2/convert.py` writes it: `config.json`, `model.safetensors` and
  /// `quantization.json`.
  ///
  /// - Throws: a file is missing, unreadable, damaged, or of another network; a tensor is missing, has another shape or
  ///   type, or holds an infinite value or a NaN. The error names the file, and the tensor where there is one.
  public init(folder: String) throws(WeightsError) {
    let configurationPath = folder + "/config.json"
    let configuration: Configuration
    do throws(WeightsError) { configuration = try ConfigurationFile.read(path: configurationPath) } catch {
      guard error.kind == .notFound else { throw error }
      var error = error
      error.reason += ForeignFile.others(in: folder, conversion: "training/transnetv2/convert.py makes a folder of it")
      throw error
    }
    guard configuration == .published else {
      throw WeightsError(.malformed, path: configurationPath, "describes another network than the published TransNetV2")
    }
    let file = try SafetensorsFile(path: folder + "/model.safetensors")
    let published = Configuration.published
    var cells: [Cell] = []
    var channels = 3
    for stack in 0..<published.L {
      for block in 0..<published.S {
        let filters = published.F << stack
        cells.append(try Cell(file, "SDDCNN.\(stack).DDCNN.\(block)", inputs: channels, filters: filters))
        channels = 4 * filters
      }
    }
    self.cells = cells
    similarityProjection = try Dense(file, "frame_sim_layer.projection", inputs: 448, outputs: 128)
    similarity = try Dense(file, "frame_sim_layer.fc", inputs: 101, outputs: 128)
    histogram = try Dense(file, "color_hist_layer.fc", inputs: 101, outputs: 128)
    hidden = try Dense(file, "fc1", inputs: 128 + 128 + 3 * 6 * channels, outputs: published.D)
    oneHot = try Dense(file, "cls_layer1", inputs: published.D, outputs: 1)
    manyHot = try Dense(file, "cls_layer2", inputs: published.D, outputs: 1)
    ranges = try ActivationRanges(path: folder + "/quantization.json")
  }

  /// What `config.json` says of the architecture, named as in the paper.
  private struct Configuration: Decodable, Equatable {
    var F: Int
    var L: Int
    var S: Int
    var D: Int
    /// Height, width, channels.
    var input_size: [Int]
    var lookup_window: Int

    static let published = Configuration(F: 16, L: 3, S: 2, D: 1024, input_size: [27, 48, 3], lookup_window: 101)
  }
}

extension TransNetWeights {
  /// A fully connected layer: y = W·x + b.
  public struct Dense: Sendable {
    /// Numbers of x.
    public let inputs: Int
    /// Numbers of y.
    public let outputs: Int
    /// W, `[outputs][inputs]`.
    public let weights: [Float]
    /// b, `[outputs]`.
    public let bias: [Float]

    init(_ file: SafetensorsFile, _ name: String, inputs: Int, outputs: Int) throws(WeightsError) {
      self.inputs = inputs
      self.outputs = outputs
      weights = try file.floats(name + ".weight", shape: [outputs, inputs])
      bias = try file.floats(name + ".bias", shape: [outputs])
    }
  }

  /// A DDCNN cell: four branches, each a spatial 3×3 convolution to 2F channels and a temporal one of 3 taps to F, dilated
  /// by 1, 2, 4 and 8 frames; their outputs in this order make the cell's 4F channels.
  ///
  /// The spatial convolution does not depend on the dilation, so that of all four is one, of 8F outputs: branch b has the
  /// channels from 2F·b to 2F·(b + 1). Nothing lies between the two convolutions.
  public struct Cell: Sendable {
    /// Frames from one temporal tap to the next, branch by branch.
    public static let dilations = [1, 2, 4, 8]

    /// Channels in.
    public let inputs: Int
    /// F; channels out are 4F.
    public let filters: Int
    /// `[3][3][inputs][8F]`: row, column, input, output. Zero padding of one pixel, no bias.
    public let spatial: [Float]
    /// A branch each, `[3][2F][F]`: tap, input, output. Tap k reads the frame (k − 1)·dilation after the present one, zeros
    /// outside the window. BatchNorm's scale is in them.
    public let temporal: [[Float]]
    /// `[4F]`: what BatchNorm adds.
    public let bias: [Float]

    init(_ file: SafetensorsFile, _ name: String, inputs: Int, filters: Int) throws(WeightsError) {
      self.inputs = inputs
      self.filters = filters
      let norm = try BatchNorm(file, name + ".bn", channels: 4 * filters)
      bias = norm.shift

      var spatial = [Float](repeating: 0, count: 9 * inputs * 8 * filters)
      var temporal: [[Float]] = []
      for (branch, dilation) in Self.dilations.enumerated() {
        let layers = "\(name).Conv3D_\(dilation).layers"
        // [2F][inputs][1][3][3] → [3][3][inputs][8F]
        let wide = try file.floats("\(layers).0.weight", shape: [2 * filters, inputs, 1, 3, 3])
        for output in 0..<2 * filters {
          for input in 0..<inputs {
            for tap in 0..<9 {
              spatial[(tap * inputs + input) * 8 * filters + branch * 2 * filters + output] = wide[(output * inputs + input) * 9 + tap]
            }
          }
        }
        // [F][2F][3][1][1] → [3][2F][F]
        let narrow = try file.floats("\(layers).1.weight", shape: [filters, 2 * filters, 3, 1, 1])
        var taps = [Float](repeating: 0, count: narrow.count)
        for output in 0..<filters {
          let scale = norm.scale[branch * filters + output]
          for input in 0..<2 * filters {
            for tap in 0..<3 {
              taps[(tap * 2 * filters + input) * filters + output] = scale * narrow[(output * 2 * filters + input) * 3 + tap]
            }
          }
        }
        temporal.append(taps)
      }
      self.spatial = spatial
      self.temporal = temporal
    }
  }

  /// y = γ·(x − μ) / √(σ² + ε) + β as y = scale·x + shift.
  private struct BatchNorm {
    /// TensorFlow's ε, which the network was trained with; PyTorch's own is 1e-5.
    static let epsilon = 1e-3

    var scale: [Float] = []
    var shift: [Float] = []

    init(_ file: SafetensorsFile, _ name: String, channels: Int) throws(WeightsError) {
      let gamma = try file.floats(name + ".weight", shape: [channels])
      let beta = try file.floats(name + ".bias", shape: [channels])
      let mean = try file.floats(name + ".running_mean", shape: [channels])
      let variance = try file.floats(name + ".running_var", shape: [channels])
      for channel in 0..<channels {
        guard variance[channel] >= 0 else {
          throw WeightsError(.malformed, path: file.path, tensor: name + ".running_var", "has a negative variance")
        }
        let factor = Double(gamma[channel]) / (Double(variance[channel]) + Self.epsilon).squareRoot()
        scale.append(Float(factor))
        shift.append(Float(Double(beta[channel]) - factor * Double(mean[channel])))
      }
    }
  }
}
