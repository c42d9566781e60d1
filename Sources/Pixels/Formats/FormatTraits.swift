/// How a format's two neighbouring samples are read; what differs between formats is only here and in `TapSource`.
enum SampleFamily {
  /// One byte a sample, a plane a channel.
  case planar
  /// Luma as in `planar`; a second plane of chroma pairs.
  case semiPlanar
  /// Two pixels in four bytes: Y U Y V, or U Y V Y with `lumaSecond`.
  case packed422(lumaSecond: Bool)
  /// Red, green and blue in every pixel.
  case packed(ColorTaps.Pixel)
  /// 16-bit words whose low ten bits count.
  case planar10
  /// 16-bit words whose high ten bits count, with chroma pairs.
  case semiPlanar10
  case gray
}

struct FormatTraits {
  var family: SampleFamily
  /// log₂ of luma samples per chroma sample.
  var chromaShift: (x: Int, y: Int) = (0, 0)
  /// V before U, or blue before red.
  var isSwapped = false
  /// Bytes from one sample to the next of the same channel.
  var lumaStep = 1
  var chromaStep = 1

  init(_ format: PixelFormat) {
    switch format {
    case .i420, .yv12:
      family = .planar
      chromaShift = (1, 1)
      isSwapped = format == .yv12
    case .y42b:
      family = .planar
      chromaShift = (1, 0)
    case .y444:
      family = .planar
    case .nv12, .nv21:
      family = .semiPlanar
      chromaShift = (1, 1)
      chromaStep = 2
      isSwapped = format == .nv21
    case .yuy2, .uyvy:
      family = .packed422(lumaSecond: format == .uyvy)
      chromaShift = (1, 0)
      lumaStep = 2
      chromaStep = 4
    case .gray8:
      family = .gray
    case .rgb, .bgr:
      family = .packed(.threeBytes)
      lumaStep = 3
      isSwapped = format == .bgr
    case .rgbx, .rgba, .bgrx, .bgra:
      family = .packed(.fourBytes)
      lumaStep = 4
      isSwapped = format == .bgrx || format == .bgra
    case .xrgb, .argb, .xbgr, .abgr:
      family = .packed(.fourBytesPaddingFirst)
      lumaStep = 4
      isSwapped = format == .xbgr || format == .abgr
    case .i42010le:
      family = .planar10
      chromaShift = (1, 1)
      lumaStep = 2
      chromaStep = 2
    case .p01010le:
      family = .semiPlanar10
      chromaShift = (1, 1)
      lumaStep = 2
      chromaStep = 4
    }
  }

  /// Bytes that a row of a plane holds, padding not counted: what `PictureLayout` promises to be readable.
  func rowBytes(plane: Int, width: Int) -> Int {
    let chromaWidth = (width + (1 << chromaShift.x) - 1) >> chromaShift.x
    switch family {
    case .packed422: return chromaWidth * chromaStep  // whole pairs, odd widths too
    default: return plane == 0 ? width * lumaStep : chromaWidth * chromaStep
    }
  }
}
