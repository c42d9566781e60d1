import Timing

/// The times of the frames of one dark, however long, in bounded memory.
///
/// Every frame is kept up to the capacity; then every second one is dropped, and again. A time between two kept frames
/// is interpolated, so times are exact for a dark of up to `capacity` frames and at a constant frame rate, and off by
/// less than the spacing of the kept frames otherwise.
struct FadeLog {
  static let capacity = 512

  private var times: [FrameTime] = []
  private var newest: FrameTime?
  /// One of this many frames is kept.
  private var stride: UInt64 = 1
  private var seen: UInt64 = 0

  init() {
    times.reserveCapacity(Self.capacity)
  }

  mutating func start(at time: FrameTime) {
    times.removeAll(keepingCapacity: true)
    stride = 1
    seen = 0
    append(time)
  }

  mutating func append(_ time: FrameTime) {
    newest = time
    if seen % stride == 0 {
      if times.count == Self.capacity { thin() }
      if seen % stride == 0 { times.append(time) }
    }
    seen &+= 1
  }

  private mutating func thin() {
    for i in 0..<times.count / 2 { times[i] = times[2 * i] }
    times.removeLast(times.count - times.count / 2)
    stride &*= 2
  }

  /// The time of frame `frame`, which lies between the first and the newest logged.
  func time(at frame: UInt64) -> FrameTime {
    guard let newest, frame < newest.frame else { return self.newest ?? FrameTime(frame: frame, elapsed: 0) }
    // The first kept frame after `frame`, by halving.
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle].frame > frame { high = middle } else { low = middle + 1 }
    }
    guard low > 0 else { return times.first ?? newest }
    let earlier = times[low - 1]
    if earlier.frame == frame { return earlier }
    let later = low < times.count ? times[low] : newest
    return earlier.interpolated(to: later, part: frame - earlier.frame, of: later.frame.less(earlier.frame))
  }
}
