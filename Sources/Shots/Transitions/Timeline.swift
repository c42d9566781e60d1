/// Values by the index of their frame, of which old ones are dropped: a queue that is read by position.
///
/// Dropping and appending cost constant time on average and take no new memory once the longest stretch was held.
struct Timeline<Value> {
  private var values: [Value] = []
  /// Where in `values` the first one is that is still held.
  private var head = 0
  /// Index of the first value held.
  private(set) var start = 0

  /// One beyond the index of the newest value.
  var end: Int { start + values.count - head }

  mutating func append(_ value: Value) { values.append(value) }

  subscript(_ index: Int) -> Value? {
    let at = index - start + head
    return at >= head && at < values.count ? values[at] : nil
  }

  /// Forgets what is older than `index`.
  mutating func drop(before index: Int) {
    let count = min(max(index - start, 0), values.count - head)
    head += count
    start += count
    guard head > 256, head * 2 > values.count else { return }
    values.removeFirst(head)
    head = 0
  }

  mutating func removeAll() {
    values.removeAll(keepingCapacity: true)
    head = 0
    start = 0
  }
}

/// Rows of pixel cues, one behind the other, that wait for the network's outputs.
struct CueRows {
  static let size = TransitionCues.names.count - TransitionCues.networkCount

  private var values: [Float] = []
  private var head = 0
  /// Rows that ever came.
  private(set) var end = 0

  /// `fill` appends the values of one row.
  mutating func append(_ fill: (inout [Float]) -> Void) {
    fill(&values)
    end += 1
  }

  /// Moves the oldest row to the end of `row`.
  mutating func takeFirst(into row: inout [Float]) {
    guard head + Self.size <= values.count else { return }
    row.append(contentsOf: values[head..<head + Self.size])
    head += Self.size
    guard head == values.count || head > 256 * Self.size else { return }
    values.removeFirst(head)
    head = 0
  }

  mutating func removeAll() {
    values.removeAll(keepingCapacity: true)
    head = 0
    end = 0
  }
}
