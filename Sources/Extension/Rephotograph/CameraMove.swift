import Pixels

/// A rectangle of a picture that fills the output, in the picture's luma samples; 0 is the left or upper edge.
public struct CameraView: Hashable, Sendable {
  /// Left and upper edge, and the sides, which are above 0; fractions of a sample count.
  public var x, y, width, height: Double

  /// Nothing is checked: what reaches beyond a picture repeats its edges.
  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The largest view of an aspect in the middle of a picture: how a shot that covers the output is framed by itself.
  ///
  /// - Parameter aspect: width per height, above 0.
  public init(coveringAspect aspect: Double, width: Int, height: Int) {
    let (pictureWidth, pictureHeight) = (Double(width), Double(height))
    self.width = min(pictureWidth, pictureHeight * aspect)
    self.height = min(pictureHeight, pictureWidth / aspect)
    x = (pictureWidth - self.width) / 2
    y = (pictureHeight - self.height) / 2
  }

  /// Part of the smaller of two views that lies in the other, 0 … 1.
  public func overlap(with other: CameraView) -> Double {
    let across = min(x + width, other.x + other.width) - max(x, other.x)
    let down = min(y + height, other.y + other.height) - max(y, other.y)
    let smaller = min(width * height, other.width * other.height)
    return smaller > 0 ? max(0, across) * max(0, down) / smaller : 0
  }

  /// Whether one after the other are a cut and not a jump: their scales are apart by 1.3 at least, or half of the smaller is new.
  public func isCut(from other: CameraView) -> Bool {
    let (large, small) = (max(width, other.width), min(width, other.width))
    // Ratios that were made to be 1.3 may be a rounding below it.
    return large >= small * (Framer.cutRatio - 1e-9) || overlap(with: other) <= 0.5
  }

  /// In parts of the picture, so that views of pictures of different sizes can be compared.
  func relative(to picture: PlanarPicture) -> CameraView {
    let (w, h) = (Double(picture.width), Double(picture.height))
    return CameraView(x: x / w, y: y / h, width: width / w, height: height / h)
  }
}

/// How the virtual camera moves during a shot.
public struct CameraMove: Hashable, Sendable {
  /// Named as logs write them.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case pushIn = "push in"
    case pullOut = "pull out"
    case pan, hold
  }

  /// A move that has no room is a `hold`.
  public let kind: Kind
  /// At the shot's first frame and at its last; the same for a `hold`.
  public let start, end: CameraView

  /// The view after a part of the move, eased in and out (smoothstep).
  ///
  /// Its edges move along straight lines, so a move between two views inside a picture stays inside.
  ///
  /// - Parameter part: kept inside 0 … 1; the ends give `start` and `end` exactly.
  public func view(at part: Double) -> CameraView {
    let t = min(max(part, 0), 1)
    let eased = t * t * (3 - 2 * t)
    func between(_ a: Double, _ b: Double) -> Double { a * (1 - eased) + b * eased }
    return CameraView(
      x: between(start.x, end.x), y: between(start.y, end.y), width: between(start.width, end.width),
      height: between(start.height, end.height))
  }
}
