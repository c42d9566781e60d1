/// What the network says of each frame of a film: probabilities from 0 to 1.
public struct Predictions: Sendable {
  /// That the frame is the last of a shot, or the middle of a gradual transition.
  public var oneHot: [Float] = []
  /// That the frame lies in a transition.
  public var manyHot: [Float] = []

  /// Of no frame yet.
  public init() {}
}
