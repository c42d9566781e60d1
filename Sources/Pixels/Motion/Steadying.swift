/// Takes a small model's unrest out of a picture: where it differs little from the one that it was drawn over it becomes that.
///
/// What a pixel differs by is ``PictureChange``.
///
/// - Parameters:
///   - drawn: `[H, W, C]`, −1…1; changed in place.
///   - below: what it was drawn over, as large.
///   - unrest: levels of 255: up to the first nothing is different, from the second on all is. With equal ones nothing is changed.
public func steady(
  _ drawn: UnsafeMutablePointer<Float>, over below: UnsafePointer<Float>, width: Int, height: Int, channels: Int,
  unrest: ClosedRange<Float>
) {
  guard unrest.upperBound > unrest.lowerBound else { return }
  let change = PictureChange(width: width, height: height) { pixel in
    (0..<channels).reduce(Float(0)) { max($0, abs(drawn[pixel * channels + $1] - below[pixel * channels + $1])) } * 127.5
  }
  for pixel in 0..<height * width {
    let share = change.share(pixel, between: unrest)
    for number in pixel * channels..<(pixel + 1) * channels { drawn[number] = below[number] + share * (drawn[number] - below[number]) }
  }
}
