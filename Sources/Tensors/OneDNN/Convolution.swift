import COneDNN

/// The shape of a convolution of images whose channels are innermost.
public struct ConvolutionShape {
  public var count: Int
  public var height: Int
  public var width: Int
  public var inputs: Int
  public var outputs: Int
  /// Rows and columns of the kernel.
  public var kernel: (Int, Int)
  /// Rows and columns from one output to the next.
  public var stride = (1, 1)
  /// Rows and columns from one tap to the next.
  public var dilation = (1, 1)
  /// Zeros before the first and after the last, rows and columns.
  public var padding = (0, 0)
  /// Zeros after the last where they are not as many as before the first.
  public var paddingAfter: (Int, Int)?

  public init(count: Int, height: Int, width: Int, inputs: Int, outputs: Int, kernel: (Int, Int)) {
    self.count = count
    self.height = height
    self.width = width
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
  }

  /// Rows and columns of the output.
  public var result: (height: Int, width: Int) {
    let after = paddingAfter ?? padding
    return (
      Self.extent(height, kernel.0, stride.0, dilation.0, padding.0, after.0), Self.extent(width, kernel.1, stride.1, dilation.1, padding.1, after.1)
    )
  }

  /// 0 for numbers that are beyond reason, which oneDNN then refuses.
  private static func extent(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int, _ after: Int) -> Int {
    guard [size, kernel, stride, dilation, before, after].allSatisfy({ -1 << 30...1 << 30 ~= $0 }) else { return 0 }
    return (size + before + after - (kernel - 1) * dilation - 1) / max(1, stride) + 1
  }
}

extension Kernel {
  /// y = Σ w·x + b: `[count][height][width][inputs]` → `[count][height′][width′][outputs]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[outputs][inputs][rows][columns]`.
  ///   - bias: `outputs` values, or nil for none.
  ///   - source, destination: element types; with weights of `int8` the source is `uint8` or `int8`.
  public static func convolution(
    _ shape: ConvolutionShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(OneDNNError) -> Kernel {
    let result = shape.result
    let from = try Layout.images(shape.count, shape.height, shape.width, shape.inputs, source)
    let to = try Layout.images(shape.count, result.height, result.width, shape.outputs, destination)
    let any = try weights.anyLayout
    let offset = try bias.map { _ throws(OneDNNError) in try Layout.dense([shape.outputs], .float32) }
    func pair(_ values: (Int, Int)) -> [dnnl_dim_t] { [dnnl_dim_t(values.0), dnnl_dim_t(values.1)] }
    let description = try KernelDescription("dnnl_convolution_forward_primitive_desc_create", finish, channels: shape.outputs) {
      dnnl_convolution_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_convolution_direct, from.handle, any.handle, offset?.handle, to.handle, pair(shape.stride),
        pair((shape.dilation.0 &- 1, shape.dilation.1 &- 1)), pair(shape.padding), pair(shape.paddingAfter ?? shape.padding), $2)
    }
    let packed = try weights.operand(description.layout(dnnl_query_weights_md))
    return try Kernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + Kernel.bias(bias, shape: [shape.outputs]))
  }

  /// y = W·x + b for `count` vectors: `[count][inputs]` → `[count][outputs]`.
  ///
  /// - Parameter weights: of shape `[outputs][inputs]`.
  public static func innerProduct(
    count: Int, inputs: Int, outputs: Int, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType,
    finish: Finish = Finish()
  ) throws(OneDNNError) -> Kernel {
    let from = try Layout.dense([count, inputs], source)
    let to = try Layout.dense([count, outputs], destination)
    let any = try weights.anyLayout
    let offset = try bias.map { _ throws(OneDNNError) in try Layout.dense([outputs], .float32) }
    let description = try KernelDescription("dnnl_inner_product_forward_primitive_desc_create", finish, channels: outputs) {
      dnnl_inner_product_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, from.handle, any.handle, offset?.handle, to.handle, $2)
    }
    let packed = try weights.operand(description.layout(dnnl_query_weights_md))
    return try Kernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + Kernel.bias(bias, shape: [outputs]))
  }
}
