import COneDNN

extension OneDNNKernel {
  /// y = Σ w·x + b: `[count][height][width][inputs]` → `[count][height′][width′][outputs]`.
  ///
  /// - Parameters:
  ///   - weights: of shape `[outputs][inputs][rows][columns]`.
  ///   - bias: `outputs` values, or nil for none.
  ///   - source, destination: element types; with weights of `int8` the source is `uint8` or `int8`.
  static func convolution(
    _ shape: ConvolutionShape, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType, finish: Finish = Finish()
  ) throws(ComputeError) -> OneDNNKernel {
    let result = shape.result
    let from = try Layout.images(shape.count, shape.height, shape.width, shape.inputs, source)
    let to = try Layout.images(shape.count, result.height, result.width, shape.outputs, destination)
    let any = try weights.anyLayout
    let offset = try bias.map { _ throws(ComputeError) in try Layout.dense([shape.outputs], .float32) }
    func pair(_ values: (Int, Int)) -> [dnnl_dim_t] { [dnnl_dim_t(values.0), dnnl_dim_t(values.1)] }
    let description = try KernelDescription("dnnl_convolution_forward_primitive_desc_create", finish, channels: shape.outputs) {
      dnnl_convolution_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, dnnl_convolution_direct, from.handle, any.handle, offset?.handle, to.handle, pair(shape.stride),
        pair((shape.dilation.0 &- 1, shape.dilation.1 &- 1)), pair(shape.padding), pair(shape.paddingAfter ?? shape.padding), $2)
    }
    let packed = try weights.operand(description.layout(dnnl_query_weights_md))
    return try OneDNNKernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + OneDNNKernel.bias(bias, shape: [shape.outputs]))
  }

  /// y = W·x + b for `count` vectors: `[count][inputs]` → `[count][outputs]`.
  ///
  /// - Parameter weights: of shape `[outputs][inputs]`.
  static func innerProduct(
    count: Int, inputs: Int, outputs: Int, _ weights: PackedWeights, bias: [Float]?, source: DataType, destination: DataType,
    finish: Finish = Finish()
  ) throws(ComputeError) -> OneDNNKernel {
    let from = try Layout.dense([count, inputs], source)
    let to = try Layout.dense([count, outputs], destination)
    let any = try weights.anyLayout
    let offset = try bias.map { _ throws(ComputeError) in try Layout.dense([outputs], .float32) }
    let description = try KernelDescription("dnnl_inner_product_forward_primitive_desc_create", finish, channels: outputs) {
      dnnl_inner_product_forward_primitive_desc_create(
        $0, $1, dnnl_forward_inference, from.handle, any.handle, offset?.handle, to.handle, $2)
    }
    let packed = try weights.operand(description.layout(dnnl_query_weights_md))
    return try OneDNNKernel(description, constants: [(DNNL_ARG_WEIGHTS, packed)] + OneDNNKernel.bias(bias, shape: [outputs]))
  }
}
