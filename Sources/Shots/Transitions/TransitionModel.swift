/// Why weights do not fit ``TransitionModel``.
public enum TransitionModelError: Error, Hashable, CustomStringConvertible {
  case wrongCount(tensor: String, expected: Int, found: Int)
  case notFinite(tensor: String)

  public var description: String {
    switch self {
    case .wrongCount(let tensor, let expected, let found): "tensor \(tensor) has \(found) values instead of \(expected)"
    case .notFinite(let tensor): "tensor \(tensor) holds a value that is not a finite number"
    }
  }
}

/// The weights of the small temporal network that weighs the cues: `models/fused`, trained by `training/fused`.
///
/// A 1-wide convolution from cues to 32 channels, five residual convolutions of 3 taps with growing dilation, and a 1-wide
/// convolution to the outputs; about 17,500 numbers.
public struct TransitionModel: Sendable {
  /// Channels between the first convolution and the last.
  public static let width = 32
  /// Frames from tap to tap of each residual convolution, in order; an output sees 22 frames to each side.
  public static let dilations = [1, 2, 4, 7, 8]
  /// Boundary, inside, the four kinds, ln(1 + frames since the start), ln(1 + frames to the end).
  public static let outputs = 8
  /// Frames on each side that an output depends on.
  static let reach = dilations.reduce(0, +)

  /// Names and shapes of the tensors, all float32.
  public static var tensors: [(name: String, shape: [Int])] {
    let cues = TransitionCues.names.count
    return [("mean", [cues]), ("scale", [cues]), ("enter.weight", [width, cues, 1]), ("enter.bias", [width])]
      + dilations.indices.flatMap { [("layers.\($0).weight", [width, width, 3]), ("layers.\($0).bias", [width])] }
      + [("leave.weight", [outputs, width, 1]), ("leave.bias", [outputs])]
  }

  /// A convolution whose weights lie as [tap, in, out], so that the innermost loop runs over outputs.
  struct Convolution: Sendable {
    var taps: Int
    var inputs: Int
    var outputs: Int
    var weights: [Float]
    var bias: [Float]

    init(_ weights: [Float], bias: [Float], taps: Int, inputs: Int) {
      (self.taps, self.inputs, self.bias, outputs) = (taps, inputs, bias, bias.count)
      self.weights = [Float](repeating: 0, count: weights.count)
      for o in 0..<outputs {
        for i in 0..<inputs {
          for k in 0..<taps { self.weights[(k * inputs + i) * outputs + o] = weights[(o * inputs + i) * taps + k] }
        }
      }
    }
  }

  let mean: [Float]
  let scale: [Float]
  let enter: Convolution
  let layers: [Convolution]
  let leave: Convolution

  /// Asks for each of ``tensors`` by name and shape.
  ///
  /// - Throws: what `values` throws; ``TransitionModelError`` if a tensor has the wrong number of values, or one that is
  ///   not finite.
  public init(_ values: (_ name: String, _ shape: [Int]) throws -> [Float]) throws {
    var found: [String: [Float]] = [:]
    for (name, shape) in Self.tensors {
      let tensor = try values(name, shape), expected = shape.reduce(1, *)
      guard tensor.count == expected else { throw TransitionModelError.wrongCount(tensor: name, expected: expected, found: tensor.count) }
      guard tensor.allSatisfy(\.isFinite) else { throw TransitionModelError.notFinite(tensor: name) }
      found[name] = tensor
    }
    func convolution(_ name: String, taps: Int, inputs: Int) -> Convolution {
      Convolution(found["\(name).weight"] ?? [], bias: found["\(name).bias"] ?? [], taps: taps, inputs: inputs)
    }
    mean = found["mean"] ?? []
    scale = found["scale"] ?? []
    enter = convolution("enter", taps: 1, inputs: TransitionCues.names.count)
    layers = Self.dilations.indices.map { convolution("layers.\($0)", taps: 3, inputs: Self.width) }
    leave = convolution("leave", taps: 1, inputs: Self.width)
  }
}
