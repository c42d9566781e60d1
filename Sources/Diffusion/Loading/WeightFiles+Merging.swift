import Tensors

extension WeightFiles {
  /// The same files, with W + scale·(α/r)·B·A for each weight W that an adapter changes.
  ///
  /// Nothing is computed before a weight is read, and then in float32. Two adapters of one weight add up.
  ///
  /// - Parameter adapters: with how strongly each is applied: 1 as it was trained, 0 not at all.
  /// - Throws: an adapter's module is no weight of these, or of another shape; a scale, or its product with α/r, is not finite.
  public func merging(_ adapters: [(LowRankAdapter, scale: Float)]) throws(WeightsError) -> WeightFiles {
    var merged = self
    for (adapter, scale) in adapters {
      guard scale.isFinite else { throw WeightsError(.malformed, path: adapter.path, "cannot be merged with the scale \(scale)") }
      for (module, factors) in adapter.factors.sorted(by: { $0.key < $1.key }) {
        let name = module + ".weight"
        func malformed(_ tensor: String, _ reason: String) -> WeightsError {
          WeightsError(.malformed, path: adapter.path, tensor: tensor, reason)
        }
        guard let weight = self[name] else { throw malformed(factors.downName, "matches no weight: \"\(path)\" has no \"\(name)\"") }
        guard DataType.floatingPoint.contains(weight.type) else {
          throw malformed(factors.downName, "is for \"\(name)\", which is \(weight.type)")
        }
        guard weight.shape.count == factors.down.shape.count, weight.shape.dropFirst() == factors.down.shape.dropFirst() else {
          throw malformed(factors.downName, "has the shape \(factors.down.shape), which does not fit \"\(name)\" of shape \(weight.shape)")
        }
        guard weight.shape[0] == factors.up.shape[0] else {
          throw malformed(factors.upName, "has the shape \(factors.up.shape), which does not fit \"\(name)\" of shape \(weight.shape)")
        }
        let factor = Float(Double(scale) * factors.scale)
        guard factor.isFinite else { throw malformed(factors.downName, "cannot be merged with the scale \(scale): its α is too large") }
        merged.changes[name, default: []].append(
          LowRankChange(
            down: factors.down, up: factors.up, factor: factor, path: adapter.path, downName: factors.downName, upName: factors.upName))
      }
    }
    return merged
  }
}
