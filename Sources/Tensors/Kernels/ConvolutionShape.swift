/// The shape of a convolution of images whose channels are innermost.
public struct ConvolutionShape {
  /// How many images there are.
  public var count: Int
  /// Rows of an image that goes in, without zeros around it.
  public var height: Int
  /// Columns of an image that goes in, without zeros around it.
  public var width: Int
  /// Channels of an image that goes in.
  public var inputs: Int
  /// Channels of an image that comes out.
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

  /// Steps of 1 and no zeros until they are set. Nothing is checked here.
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
      Self.extent(height, kernel.0, stride.0, dilation.0, padding.0, after.0),
      Self.extent(width, kernel.1, stride.1, dilation.1, padding.1, after.1)
    )
  }

  /// 0 for numbers that are beyond reason, which oneDNN then refuses.
  private static func extent(_ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ before: Int, _ after: Int) -> Int {
    guard [size, kernel, stride, dilation, before, after].allSatisfy({ -1 << 30...1 << 30 ~= $0 }) else { return 0 }
    return (size + before + after - (kernel - 1) * dilation - 1) / max(1, stride) + 1
  }
}
