import Pixels
import Timing

/// The last shots of a stream as pictures, in bounded memory.
///
/// ```swift
/// var album = ShotAlbum(shots: 2)
/// album.beginShot()          // at each boundary
/// album.add(picture)         // each frame
/// ```
///
/// A value whose copies share their pictures: one thread adds, another works with a copy. What is kept:
/// - the last `shots` shots, the open one included, in which a picture came;
/// - of each the last frames without a gap, at most ``framesPerShot``: loops need neighbours at the source's rate, and what came
///   last is what a viewer remembers;
/// - at most ``byteLimit`` bytes of pictures. What is beyond goes from the beginning of the shot that holds most, so that shots come
///   to share the memory evenly. At 1080p a limit of 256 MiB holds 86 frames, at 720p 194, at 4K 21; a source much larger than
///   1080p is best converted to a smaller size first, see ``size(for:height:shots:frames:limit:)``.
///
/// Cost: adding keeps a reference; nothing is copied or looked at.
public struct ShotAlbum: Sendable {
  /// Bytes of all pictures that an album keeps if nobody says otherwise: 256 MiB.
  public static let defaultByteLimit = 256 << 20

  /// One shot's pictures.
  public struct Shot: Sendable {
    /// Ordinal among all shots that the album ever began, from 1.
    public let number: Int
    /// All of the same size, in order, without a gap.
    public fileprivate(set) var frames: [PlanarPicture] = []
    /// Of all planes of ``frames``.
    public fileprivate(set) var byteCount = 0
    /// Frames that it had and that are not kept, all before ``frames``.
    public fileprivate(set) var dropped = 0

    fileprivate mutating func dropFirst() {
      guard let first = frames.first else { return }
      frames.removeFirst()
      byteCount -= first.byteCount
      dropped += 1
    }
  }

  /// Shots kept, at least 1.
  public let shotLimit: Int
  /// Frames kept of a shot, at least 1.
  public let framesPerShot: Int
  /// Bytes of all pictures.
  public let byteLimit: Int
  /// Those with at least one picture, the newest last.
  public var shots: [Shot] { kept.filter { !$0.frames.isEmpty } }
  /// Bytes of all pictures now, at most ``byteLimit``.
  public var byteCount: Int { kept.reduce(0) { $0 + $1.byteCount } }
  /// Also the one that has no picture yet.
  private var kept: [Shot] = []
  private var begun = 0

  /// - Parameters:
  ///   - shots: kept, 1 … 64.
  ///   - framesPerShot: 1 … 1,000; more do not make better loops.
  ///   - byteLimit: of all pictures. One that is larger is not kept.
  public init(shots: Int = 2, framesPerShot: Int = 240, byteLimit: Int = ShotAlbum.defaultByteLimit) {
    shotLimit = min(max(shots, 1), 64)
    self.framesPerShot = min(max(framesPerShot, 1), 1000)
    self.byteLimit = max(byteLimit, 0)
  }

  /// What comes next belongs to a new shot.
  public mutating func beginShot() {
    begun += 1
    kept.removeAll { $0.frames.isEmpty }
    kept.append(Shot(number: begun))
  }

  /// Keeps the next frame. The first one begins a shot if nobody did; one of another size than those before it replaces them.
  public mutating func add(_ picture: PlanarPicture) {
    if kept.isEmpty { beginShot() }
    let last = kept.count - 1
    if let before = kept[last].frames.last, before.width != picture.width || before.height != picture.height { skip(last) }
    guard picture.byteCount <= byteLimit else { return skip(last) }
    if kept.count > shotLimit { kept.removeFirst(kept.count - shotLimit) }
    let open = kept.count - 1
    kept[open].frames.append(picture)
    kept[open].byteCount += picture.byteCount
    if kept[open].frames.count > framesPerShot { kept[open].dropFirst() }
    while byteCount > byteLimit, let largest = kept.indices.max(by: { kept[$0].byteCount < kept[$1].byteCount }) {
      kept[largest].dropFirst()
    }
  }

  /// What a gap leaves behind is no neighbour of what follows.
  private mutating func skip(_ index: Int) { while !kept[index].frames.isEmpty { kept[index].dropFirst() } }

  /// Drops all pictures, as after a flush; ordinals of shots go on.
  public mutating func removeAll() { kept.removeAll() }

  /// The size at which an album holds so many frames of each shot: the given one, or less where the limit asks for it.
  ///
  /// - Parameters:
  ///   - width, height: of the source, in pixels.
  ///   - frames: of each shot; 12 are a loop of half a second at 24 frames a second.
  /// - Returns: even numbers unless it is the given size; never below a quarter of it.
  public static func size(
    for width: Int, height: Int, shots: Int, frames: Int, limit: Int = ShotAlbum.defaultByteLimit
  ) -> (width: Int, height: Int) {
    let largest = PlanarPicture.largestSide
    let (width, height) = (min(max(width, 1), largest), min(max(height, 1), largest))
    let pictures = min(max(shots, 1), 64) * min(max(frames, 1), 1000)
    for eighths in stride(from: 8, to: 2, by: -1) {
      let size = eighths == 8 ? (width, height) : (scaled(width, eighths), scaled(height, eighths))
      if PlanarPicture.byteCount(width: size.0, height: size.1) <= limit / pictures { return size }
    }
    return (scaled(width, 2), scaled(height, 2))
  }

  private static func scaled(_ side: Int, _ eighths: Int) -> Int {
    max(2, (side * eighths / 8 + 1) & ~1)
  }
}
