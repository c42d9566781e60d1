/// Looks for the whole-pixel shift that best explains how one luma picture [27, 48] became another.
struct ShiftMeter {
  private struct Shift {
    var x: Int
    var y: Int
  }

  /// By length, so that of two equally good shifts the shorter one wins; the first is none.
  private let shifts: [Shift]

  init() {
    var all: [Shift] = []
    for x in -TransitionCues.shiftX...TransitionCues.shiftX {
      for y in -TransitionCues.shiftY...TransitionCues.shiftY { all.append(Shift(x: x, y: y)) }
    }
    shifts = all.sorted { a, b in
      let (m, n) = (a.x * a.x + a.y * a.y, b.x * b.x + b.y * b.y)
      return (m, a.x, a.y) < (n, b.x, b.y)
    }
  }

  /// Writes the shift's length and the mean absolute differences with and without it, over the pixels that both show.
  func measure(_ old: UnsafeBufferPointer<UInt8>, _ new: UnsafeBufferPointer<UInt8>, into facts: inout ThumbnailFacts) {
    let width = TransitionCues.width, height = TransitionCues.height
    facts.shifted = .infinity
    for (i, shift) in shifts.enumerated() {
      let across = width - abs(shift.x), down = height - abs(shift.y)
      let oldStart = max(0, -shift.y) * width + max(0, -shift.x), newStart = max(0, shift.y) * width + max(0, shift.x)
      var sum: Int32 = 0
      for y in 0..<down {
        for x in 0..<across {
          sum &+= abs(Int32(old[oldStart &+ y &* width &+ x]) &- Int32(new[newStart &+ y &* width &+ x]))
        }
      }
      let mean = Double(sum) / Double(across * down)
      if i == 0 { facts.unshifted = mean }
      if mean < facts.shifted {
        facts.shifted = mean
        facts.shift = Double(shift.x * shift.x + shift.y * shift.y).squareRoot()
      }
    }
  }
}
