/// OpenCV's luma of B, G, R samples.
enum Luma {
  /// Replaces the reducer's blue row by luma, 0 … 255.
  ///
  /// - Parameter shift: 14 for `COLOR_BGR2YUV`, 15 for `COLOR_BGR2GRAY`, whose coefficients differ by their rounding.
  @inline(__always)
  static func convert(_ reducer: Reducer, shift: UInt32) {
    let (blue, green, red) = (reducer.blue, reducer.green, reducer.red)
    let (b, g, r): (UInt32, UInt32, UInt32) = shift == 14 ? (1868, 9617, 4899) : (3735, 19235, 9798)
    let half: UInt32 = 1 &<< (shift &- 1)
    for x in stride(from: 0, to: reducer.paddedWidth, by: laneCount) {
      let sum =
        widened(unsigned(load(blue, x))) &* b &+ widened(unsigned(load(green, x))) &* g
        &+ widened(unsigned(load(red, x))) &* r &+ half
      store(signed(narrowed(sum &>> shift)), blue, x)
    }
  }
}
