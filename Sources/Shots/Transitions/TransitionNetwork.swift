import Glibc

/// What the network says of a frame.
struct TransitionOutput {
  /// That the frame is the first of a shot, or the middle of a gradual transition: 0…1.
  var boundary: Double
  /// That it lies inside a gradual transition: 0…1.
  var inside: Double
  var kind: BoundaryKind
  /// Frames since the last clean frame of the old shot, and to the first clean frame of the new one.
  var since: Double
  var until: Double

  /// How much of the transition lies behind, 0…1.
  var progress: Double {
    let (since, until) = (max(0, since), max(0, until))
    return since + until > 0 ? since / (since + until) : 0.5
  }
}

/// Runs ``TransitionModel`` over a stream, every layer once a frame: a row goes in, the outputs for the row
/// ``TransitionModel/reach`` earlier come out. Takes its memory once.
struct TransitionNetwork {
  static let kinds: [BoundaryKind] = [.cut, .fade, .dissolve, .wipe]
  /// Normalised cues beyond this are cut off, as in training.
  static let limit: Float = 6

  private let model: TransitionModel
  /// For each layer the newest 2·dilation + 1 of its inputs [slots, 32].
  private var inputs: [[Float]]
  private var normal: [Float]
  private var channels: [Float]
  private var sums: [Float]
  private var results: [Float]
  private var count = 0

  init(_ model: TransitionModel) {
    self.model = model
    inputs = TransitionModel.dilations.map { [Float](repeating: 0, count: (2 * $0 + 1) * TransitionModel.width) }
    normal = [Float](repeating: 0, count: TransitionCues.names.count)
    channels = [Float](repeating: 0, count: TransitionModel.width)
    sums = channels
    results = [Float](repeating: 0, count: TransitionModel.outputs)
  }

  mutating func removeAll() { count = 0 }

  /// `row`: the cues of the next frame, in order. Nil until as many rows came as an output needs on each side.
  mutating func push(_ row: [Float]) -> TransitionOutput? {
    for i in normal.indices { normal[i] = min(max((row[i] - model.mean[i]) * model.scale[i], -Self.limit), Self.limit) }
    Self.start(&channels, model.enter)
    Self.add(normal, 0, model.enter, tap: 0, to: &channels)
    Self.rectify(&channels)
    defer { count += 1 }
    // How much later than the first layer this one began.
    var delay = 0
    for (index, dilation) in TransitionModel.dilations.enumerated() {
      // x(t) + relu(b + W₀·x(t-d) + W₁·x(t) + W₂·x(t+d)); x(t+d) is what comes in.
      let slots = 2 * dilation + 1, width = TransitionModel.width, order = count - delay
      let newest = order % slots * width
      for i in 0..<width { inputs[index][newest + i] = channels[i] }
      guard order >= 2 * dilation else { return nil }
      delay += 2 * dilation
      let middle = (order - dilation) % slots * width, oldest = (order - 2 * dilation) % slots * width
      Self.start(&sums, model.layers[index])
      Self.add(inputs[index], oldest, model.layers[index], tap: 0, to: &sums)
      Self.add(inputs[index], middle, model.layers[index], tap: 1, to: &sums)
      Self.add(inputs[index], newest, model.layers[index], tap: 2, to: &sums)
      Self.rectify(&sums)
      for i in 0..<width { channels[i] = inputs[index][middle + i] + sums[i] }
    }
    Self.start(&results, model.leave)
    Self.add(channels, 0, model.leave, tap: 0, to: &results)
    return output
  }

  private var output: TransitionOutput {
    func sigmoid(_ x: Float) -> Double { 1 / (1 + exp(-Double(x))) }
    var kind = 0
    for i in 1..<Self.kinds.count where results[2 + i] > results[2 + kind] { kind = i }
    return TransitionOutput(
      boundary: sigmoid(results[0]), inside: sigmoid(results[1]), kind: Self.kinds[kind], since: expm1(Double(results[6])),
      until: expm1(Double(results[7])))
  }

  private static func start(_ sums: inout [Float], _ convolution: TransitionModel.Convolution) {
    for o in sums.indices { sums[o] = convolution.bias[o] }
  }

  private static func rectify(_ values: inout [Float]) {
    for i in values.indices { values[i] = max(values[i], 0) }
  }

  /// sums += W[tap] · inputs[at…]
  private static func add(
    _ inputs: [Float], _ at: Int, _ convolution: TransitionModel.Convolution, tap: Int, to sums: inout [Float]
  ) {
    let outputs = convolution.outputs
    sums.withUnsafeMutableBufferPointer { sums in
      convolution.weights.withUnsafeBufferPointer { weights in
        for i in 0..<convolution.inputs {
          let x = inputs[at + i], row = (tap * convolution.inputs + i) * outputs
          for o in 0..<outputs { sums[o] += weights[row &+ o] * x }
        }
      }
    }
  }
}
