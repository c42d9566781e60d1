extension TensorView {
  /// The entry `index` of the outermost axis, such as a row of a table of embeddings; nil if there is none.
  ///
  /// Costs no reading of the others.
  public func row(_ index: Int) -> TensorView? {
    guard let rows = shape.first, index >= 0, index < rows else { return nil }
    // Strides without gaps: a row's elements, whose bytes are a part of the tensor's.
    let offset = index * strides[0] * type.size
    return TensorView(base + offset, shape: Array(shape.dropFirst()), type: type, owner: Whole(self))
  }

  /// Keeps the tensor that a row is of.
  private final class Whole: Sendable {
    let tensor: TensorView
    init(_ tensor: TensorView) { self.tensor = tensor }
  }
}
