/// How the samples of a picture lie in memory, named as GStreamer's video formats are.
public enum PixelFormat: UInt8, CaseIterable, Hashable, Sendable {
  case i420, yv12, nv12, nv21, y42b, y444, yuy2, uyvy, gray8
  case rgb, bgr, rgbx, bgrx, xrgb, xbgr, rgba, bgra, argb, abgr
  case i42010le, p01010le
}

/// The coefficients between Y′CbCr and R′G′B′.
public enum ColorMatrix: Sendable { case bt601, bt709 }

/// The span of the samples: 16…235 (chroma 16…240) or 0…255, scaled to the depth.
public enum ColorRange: Sendable { case limited, full }

/// What a picture's bytes mean.
public struct PictureLayout: Hashable, Sendable {
  /// Which samples there are, and in which planes they lie.
  public var format: PixelFormat
  /// Pixels, at least 1.
  public var width: Int
  /// Pixels, at least 1.
  public var height: Int
  /// How Y′CbCr becomes R′G′B′; without meaning for formats that are R′G′B′.
  public var matrix: ColorMatrix
  /// The span of Y′CbCr samples; without meaning for formats that are R′G′B′.
  public var range: ColorRange

  /// High definition's colours unless told otherwise. Sizes are not checked.
  public init(format: PixelFormat, width: Int, height: Int, matrix: ColorMatrix = .bt709, range: ColorRange = .limited) {
    self.format = format
    self.width = width
    self.height = height
    self.matrix = matrix
    self.range = range
  }
}

/// One plane of samples.
public struct PlaneView {
  /// The first sample of the first row.
  public let base: UnsafeRawPointer
  /// Bytes from one row to the next.
  public let stride: Int

  /// Keeps nothing alive and checks nothing.
  public init(base: UnsafeRawPointer, stride: Int) {
    self.base = base
    self.stride = stride
  }
}

/// A view of a picture in memory that somebody else owns, valid only during the call it is passed to.
///
/// Planes are in GStreamer's order (`yv12`: Y, V, U); what a format does not use repeats plane 0. Every plane holds all
/// the rows that `layout` promises: whoever makes a `Picture` has checked that.
public struct Picture: ~Copyable {
  /// What the planes' bytes mean.
  public let layout: PictureLayout
  /// Always three, in the order said above.
  public let planes: (PlaneView, PlaneView, PlaneView)

  /// Checks nothing: the planes must hold all the rows that `layout` promises.
  public init(layout: PictureLayout, planes: (PlaneView, PlaneView, PlaneView)) {
    self.layout = layout
    self.planes = planes
  }
}
