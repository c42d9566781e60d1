/// Where one channel's samples lie in a plane's rows, and how many are wanted.
struct PlaneChannel {
  /// Byte of the first sample in a row, and bytes from one to the next.
  var start: Int
  var step: Int
  /// Samples in a row, at least 1.
  var count: Int
  /// Samples wanted in a row, and where the reduced plane goes: 27 rows of `columns`.
  var columns: Int
  var output: UnsafeMutablePointer<Float>
  /// Where, if wanted, the plane goes as it is when pairs of neighbouring samples are averaged first.
  var halvedOutput: UnsafeMutablePointer<Float>?
}

/// Reduces all channels of one plane in one pass over its rows: first along columns, streaming, then the few rows that are
/// left along rows.
///
/// Neighbouring rows (and, in planes of one byte a sample, columns) that lie close together under the kernel are summed in
/// 16 bits first and weighted as one; a kernel stays at least 32 groups of rows wide, where that moves results by less than a
/// tenth of a level.
final class PlanePass {
  private let height: Int
  private let rowBytes: Int
  private let groupSize: Int
  private let steps: [Step]
  private let groupWeights: OwnedBuffer<Float>
  private let sums: RowSums
  private let channels: [ChannelRows]
  /// Lanes of a row, all sets.
  private let lanes: Int
  /// The sums of two groups' rows.
  private let groupRows: OwnedBuffer<Float>
  /// Output rows that are being summed; output row y is in slot y mod `slotCount`.
  private let slots: OwnedBuffer<Float>
  private let slotCount: Int
  private let tail: OwnedBuffer<UInt8>

  /// Two groups of source rows, and the output rows they add to: two at once, so that sums are fetched and stored half as often.
  private struct Step {
    var firstOutput: Int
    /// Ends of ranges of output rows: those it adds to, those complete after it.
    var endOutput: Int
    var endComplete: Int
    /// Two weights for each output row.
    var firstWeight: Int
  }

  /// - Parameters:
  ///   - height: rows of the plane, 1 … 65,535.
  ///   - rowBytes: bytes of a row that may be read.
  ///   - tenBits: nil for bytes, otherwise how words are read.
  ///   - rows: wanted.
  init(height: Int, rowBytes: Int, tenBits: LaneReading?, channels: [PlaneChannel], rows: Int) {
    self.height = height
    self.rowBytes = rowBytes
    let pairs = channels.count == 1 && channels[0].step == 1 && channels[0].count >= 16 * channels[0].columns
    let reading = tenBits ?? (pairs ? .pairs : .bytes)
    let chunks = (rowBytes + LaneReading.chunk - 1) / LaneReading.chunk
    sums = RowSums(reading: reading, setSize: chunks * laneCount)
    lanes = sums.setSize * reading.setCount
    let setSize = sums.setSize
    self.channels = channels.map { ChannelRows($0, reading: reading, setSize: setSize) }

    var size = 1
    while size < LaneReading.groupLimit, size * 16 * rows <= height { size *= 2 }
    groupSize = size
    let filter = CubicFilter(source: height, output: rows, one: 4096).grouped(by: size, source: height)
    var (steps, weights, complete, most) = ([Step](), [Float](), 0, 1)
    let groupCount = (height + size - 1) / size
    for group in stride(from: 0, to: groupCount, by: 2) {
      let used = filter.taps.indices.filter { filter.taps[$0].first <= group + 1 && group < filter.taps[$0].end }
      let outputs = (used.first ?? 0)..<((used.last ?? -1) + 1)
      // Slots of all rows that are begun and not complete.
      most = max(most, outputs.upperBound - complete)
      while complete < rows, filter.taps[complete].end <= group + 2 { complete += 1 }
      steps.append(
        Step(firstOutput: outputs.lowerBound, endOutput: outputs.upperBound, endComplete: complete, firstWeight: weights.count))
      for output in outputs {
        for index in [group, group + 1] {
          let (taps, offset) = (filter.taps[output], index - filter.taps[output].first)
          let weight = taps.weights.indices.contains(offset) ? taps.weights[offset] : 0
          weights.append(Float(tenBits == nil ? weight : weight / 4))
        }
      }
    }
    self.steps = steps
    slotCount = most
    groupWeights = OwnedBuffer(count: weights.count, zero: 0)
    for (index, weight) in weights.enumerated() { groupWeights.base[index] = weight }
    groupRows = OwnedBuffer(count: 2 * lanes, zero: 0)
    slots = OwnedBuffer(count: lanes * slotCount + RowFilter.overread, zero: 0)
    tail = OwnedBuffer(count: LaneReading.chunk * size, zero: 0)
  }

  func reduce(_ plane: PlaneView) {
    let (slots, lanes) = (slots.base, lanes)
    let (first, second) = (groupRows.base, groupRows.base + lanes)
    let weights = groupWeights.base
    var (complete, y) = (0, 0)
    for step in steps {
      addRows(plane, from: y, to: first)
      // Behind an odd number of groups what is left of another is weighted with 0.
      addRows(plane, from: y &+ groupSize, to: second)
      y &+= 2 &* groupSize
      var weight = step.firstWeight
      for output in step.firstOutput..<step.endOutput {
        let slot = slots + output % slotCount &* lanes
        Self.add(first, times: weights[weight], second, times: weights[weight &+ 1], to: slot, count: lanes)
        weight &+= 2
      }
      while complete < step.endComplete {
        let slot = slots + complete % slotCount &* lanes
        for channel in channels { channel.reduce(slot, row: complete) }
        slot.update(repeating: 0, count: lanes)
        complete &+= 1
      }
    }
  }

  /// Sums the group of rows that begins at `y`, if there is one.
  private func addRows(_ plane: PlaneView, from y: Int, to row: UnsafeMutablePointer<Float>) {
    let count = min(groupSize, height &- y)
    guard count > 0 else { return }
    let first = plane.base + plane.stride &* y
    let whole = rowBytes / LaneReading.chunk
    sums.add(first, stride: plane.stride, rows: count, chunks: whole, to: row)
    let rest = rowBytes &- whole &* LaneReading.chunk
    guard rest > 0 else { return }
    // Not a byte behind a row is read: the last bytes are copied to where zeros follow.
    for index in 0..<count {
      (UnsafeMutableRawPointer(tail.base) + index &* LaneReading.chunk).copyMemory(
        from: first + plane.stride &* index + whole &* LaneReading.chunk, byteCount: rest)
    }
    sums.add(tail.base, stride: LaneReading.chunk, rows: count, chunks: 1, to: row + whole &* laneCount)
  }

  @inline(__always)
  private static func add(
    _ first: UnsafePointer<Float>, times firstWeight: Float, _ second: UnsafePointer<Float>, times secondWeight: Float,
    to sums: UnsafeMutablePointer<Float>, count: Int
  ) {
    let (firstWeight, secondWeight) = (Floats(repeating: firstWeight), Floats(repeating: secondWeight))
    var x = 0
    while x < count {
      store(load(sums, x) + load(first, x) * firstWeight + load(second, x) * secondWeight, sums, x)
      x &+= laneCount
    }
  }
}

/// Takes one channel out of a row of lanes and reduces it.
private final class ChannelRows {
  /// Every `step`th lane from `first` on is every `outputStep`th sample from `output` on.
  private struct Run {
    var first: Int
    var step: Int
    var output: Int
    var outputStep: Int
    var count: Int
  }

  private let runs: [Run]
  /// The first lane, if the samples lie side by side.
  private let direct: Int?
  private let samples: OwnedBuffer<Float>
  private let filter: RowFilter
  private let output: UnsafeMutablePointer<Float>
  private let halvedFilter: RowFilter
  private let halvedOutput: UnsafeMutablePointer<Float>?

  init(_ channel: PlaneChannel, reading: LaneReading, setSize: Int) {
    let (start, step, count) = (channel.start, channel.step, channel.count)
    switch reading {
    case .pairs: runs = [Run(first: 0, step: 1, output: 0, outputStep: 1, count: (count + 1) / 2)]
    case .lowTen, .highTen: runs = [Run(first: start / 2, step: step / 2, output: 0, outputStep: 1, count: count)]
    case .bytes:
      func lane(_ byte: Int) -> Int { byte / 2 + byte % 2 * setSize }
      if step % 2 == 0 {
        runs = [Run(first: lane(start), step: step / 2, output: 0, outputStep: 1, count: count)]
      } else {
        // Even and odd samples lie in different sets.
        runs = [
          Run(first: lane(start), step: step, output: 0, outputStep: 2, count: (count + 1) / 2),
          Run(first: lane(start + step), step: step, output: 1, outputStep: 2, count: count / 2),
        ]
      }
    }
    direct = runs.count == 1 && runs[0].step == 1 ? runs[0].first : nil
    samples = OwnedBuffer(count: direct == nil ? count + RowFilter.overread : 0, zero: 0)
    let group = if case .pairs = reading { 2 } else { 1 }
    filter = RowFilter(
      CubicFilter(source: count, output: channel.columns, one: 16384).grouped(by: group, source: count))
    output = channel.output
    halvedOutput = channel.halvedOutput
    let pairs = CubicFilter(source: (count + 1) / 2, output: channel.columns, one: 16384)
    halvedFilter = RowFilter(pairs.spread(source: count))
  }

  func reduce(_ lanes: UnsafePointer<Float>, row: Int) {
    if let direct { return apply(lanes + direct, row) }
    let samples = samples.base
    for run in runs {
      var (from, to) = (run.first, run.output)
      for _ in 0..<run.count {
        samples[to] = lanes[from]
        from &+= run.step
        to &+= run.outputStep
      }
    }
    apply(samples, row)
  }

  private func apply(_ samples: UnsafePointer<Float>, _ row: Int) {
    filter.apply(samples, to: output + row &* filter.count)
    if let halvedOutput { halvedFilter.apply(samples, to: halvedOutput + row &* filter.count) }
  }
}
