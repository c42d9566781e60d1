/// The mean of all B, G and R samples of the small picture: what PySceneDetect's threshold detector compares.
public final class MeanLevel {
  private var reducer: Reducer

  /// - Parameter layout: of the first picture; one of another layout costs new memory.
  public init(layout: PictureLayout) { reducer = Reducer(layout: layout) }

  /// Does nothing: the mean depends on no earlier picture. Here so that all measurements can be treated alike.
  public func reset() {}

  /// 0 … 255; 0 for a layout without pixels.
  public func measure(_ picture: borrowing Picture) -> Double {
    if picture.layout != reducer.layout { reducer = Reducer(layout: picture.layout) }
    let (reducer, width) = (reducer, reducer.size.width)
    let (blue, green, red) = (reducer.blue, reducer.green, reducer.red)
    var sum: UInt32 = 0  // at most 256 · 256 · 3 · 255, below 2³²
    for y in 0..<reducer.size.height {
      reducer.reduceRow(y, of: picture)
      for x in 0..<width {
        sum &+= UInt32(truncatingIfNeeded: blue[x] &+ green[x] &+ red[x])
      }
    }
    return Double(sum) / Double(max(1, 3 * width * reducer.size.height))
  }
}
