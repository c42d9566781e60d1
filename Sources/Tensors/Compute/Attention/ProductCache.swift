/// A thread's kernels for products of two activations, of which there are a few shapes that come again and again.
final class ProductCache {
  private struct ProductKey: Hashable {
    var rows: Int
    var inner: Int
    var columns: Int
    var accumulates = false
    var isExponential = false
    var isTransposed = false
  }

  private let type: DataType

  init(_ type: DataType) { self.type = type }

  private var products: [ProductKey: Kernel] = [:]
  private var softmaxes: [ProductKey: Kernel] = [:]
  private var orders: [ProductKey: PackedOrder] = [:]
  private var packers: [ProductKey: Kernel] = [:]

  /// More shapes than a model has at once: what was made for earlier ones goes.
  private static let most = 256

  private func makeRoom() {
    if products.count + softmaxes.count + orders.count + packers.count < Self.most { return }
    products = [:]
    softmaxes = [:]
    orders = [:]
    packers = [:]
  }

  /// The order in which B of `[inner][columns]` is multiplied fastest.
  func order(inner: Int, columns: Int) throws -> PackedOrder {
    let key = ProductKey(rows: 0, inner: inner, columns: columns)
    if let known = orders[key] { return known }
    makeRoom()
    let order = try Kernel.packedOrder(ProductShape(rows: 64, inner: inner, columns: columns), source: type)
    orders[key] = order
    return order
  }

  /// C = A·B, or C + A·B, in float32, with B in the order of ``order(inner:columns:)``.
  func product(rows: Int, inner: Int, columns: Int, accumulates: Bool = false) throws -> Kernel {
    let key = ProductKey(rows: rows, inner: inner, columns: columns, accumulates: accumulates)
    if let known = products[key] { return known }
    makeRoom()
    let kernel = try Kernel.product(
      ProductShape(rows: rows, inner: inner, columns: columns), packed: order(inner: inner, columns: columns), source: type,
      destination: .float32, finish: Finish(accumulates: accumulates))
    products[key] = kernel
    return kernel
  }

  /// e to the power of A·B, in the products' type.
  func exponential(rows: Int, inner: Int, columns: Int) throws -> Kernel {
    let key = ProductKey(rows: rows, inner: inner, columns: columns, isExponential: true)
    if let known = products[key] { return known }
    makeRoom()
    let kernel = try Kernel.product(
      ProductShape(rows: rows, inner: inner, columns: columns), packed: order(inner: inner, columns: columns), source: type,
      destination: type, finish: Finish(activation: .exp))
    products[key] = kernel
    return kernel
  }

  /// eˣ of so many numbers in float32.
  func exponentials(count: Int) throws -> Kernel {
    let key = ProductKey(rows: count, inner: 0, columns: 0, isExponential: true)
    if let known = softmaxes[key] { return known }
    makeRoom()
    let kernel = try Kernel.activation(.exp, count: count, type: .float32)
    softmaxes[key] = kernel
    return kernel
  }

  /// The sum of each row of the products' type, in float32.
  func sums(rows: Int, columns: Int) throws -> Kernel {
    let key = ProductKey(rows: rows, inner: 0, columns: columns, accumulates: true)
    if let known = softmaxes[key] { return known }
    makeRoom()
    let kernel = try Kernel.rowSums(rows: rows, columns: columns, type: type)
    softmaxes[key] = kernel
    return kernel
  }

  /// The softmax of each row of float32, in the products' type.
  func softmax(rows: Int, columns: Int) throws -> Kernel {
    let key = ProductKey(rows: rows, inner: 0, columns: columns)
    if let known = softmaxes[key] { return known }
    makeRoom()
    let kernel = try Kernel.softmax(rows: rows, columns: columns, type: .float32, destination: type)
    softmaxes[key] = kernel
    return kernel
  }

  /// Puts B of `[inner][columns]`, or of `[columns][inner]` if it is transposed, in the order of ``order(inner:columns:)``.
  func packer(inner: Int, columns: Int, isTransposed: Bool) throws -> Kernel {
    let key = ProductKey(rows: 0, inner: inner, columns: columns, isTransposed: isTransposed)
    if let known = packers[key] { return known }
    makeRoom()
    let packer = try Kernel.packer(
      inner: inner, columns: columns, isTransposed: isTransposed, type: type, to: order(inner: inner, columns: columns))
    packers[key] = packer
    return packer
  }
}
