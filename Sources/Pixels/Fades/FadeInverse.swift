/// The level that a fade goes to or comes from.
public enum FadeLevel: Sendable { case black, white }

/// Undoes a fade: what was faded = gain · clean + (1 − gain) · level, in the coded (gamma) domain, as editors and encoders
/// fade, becomes clean = level + (faded − level) / gain; chroma goes away from its neutral likewise.
///
/// Samples at or beyond black or white stay: what was clipped or crushed cannot be told. Results are rounded and stay between
/// black and white. Rounding is all that is lost: of samples that were rounded to whole levels when they were faded, 1 / (4 · gain)
/// levels on average. A gain of 1 changes nothing.
public struct FadeInverse {
  /// For each component, the new sample of every sample.
  private let tables: [(component: SampleComponent, samples: [UInt16])]

  /// - Parameters:
  ///   - components: of the pictures to come; alpha is not among them, since it does not fade.
  ///   - gain: 0 … 1, what is left of the clean picture.
  ///   - maxGain: at least 1; noise and rounding are not amplified beyond it.
  ///
  /// Cost: microseconds for 8 bits, 0.3 ms for 16.
  public init(_ components: [SampleComponent], gain: Double, level: FadeLevel, maxGain: Double) {
    let limit = maxGain.isFinite ? max(maxGain, 1) : 1
    let factor = gain.isFinite ? 1 / min(max(gain, 1 / limit), 1) : 1
    var tables: [(component: SampleComponent, samples: [UInt16])] = []
    for component in components {
      let alike = tables.first { $0.component.hasLevels(like: component) }
      tables.append((component, alike?.samples ?? component.table(factor, level)))
    }
    self.tables = tables
  }

  /// Changes a row of samples in place.
  ///
  /// - Parameters:
  ///   - index: of the component; one that was not given changes nothing.
  ///   - row: bytes from its first sample on; one that is too short is not changed.
  public func apply(_ index: Int, to row: inout MutableRawSpan) {
    guard tables.indices.contains(index), row.byteCount >= tables[index].component.rowBytes else { return }
    let (component, samples) = tables[index]
    row.withUnsafeMutableBytes { row in
      samples.withUnsafeBufferPointer { table in
        // As long as its component's depth allows samples.
        guard let table = table.baseAddress, let base = row.baseAddress else { return }
        component.replace(base, table)
      }
    }
  }
}

extension SampleComponent {
  fileprivate func hasLevels(like other: SampleComponent) -> Bool {
    depth == other.depth && range == other.range && (role == .chroma) == (other.role == .chroma)
  }

  fileprivate func table(_ factor: Double, _ level: FadeLevel) -> [UInt16] {
    let origin = role == .chroma ? neutral : level == .black ? black : white
    let (low, high) = (Double(black), Double(white))
    return (0...maximum).map { sample in
      guard sample > black, sample < white else { return UInt16(sample) }
      let clean = Double(origin) + Double(sample - origin) * factor
      return UInt16(min(max(clean.rounded(), low), high))
    }
  }

  fileprivate func replace(_ row: UnsafeMutableRawPointer, _ table: UnsafePointer<UInt16>) {
    switch word {
    case .byte:
      // Shift and depth leave no choice in a byte.
      var place = row.assumingMemoryBound(to: UInt8.self)
      for _ in 0..<columns {
        place.pointee = UInt8(truncatingIfNeeded: table[Int(place.pointee)])
        place += step
      }
    case .little16: replaceWords(row, table) { $0.littleEndian }
    case .big16: replaceWords(row, table) { $0.bigEndian }
    }
  }

  @inline(__always)
  private func replaceWords(_ row: UnsafeMutableRawPointer, _ table: UnsafePointer<UInt16>, _ order: (UInt16) -> UInt16) {
    let mask = UInt16(truncatingIfNeeded: maximum)
    let (shift, others) = (UInt16(truncatingIfNeeded: shift), ~(mask &<< UInt16(truncatingIfNeeded: shift)))
    var place = row
    for _ in 0..<columns {
      let word = order(place.loadUnaligned(as: UInt16.self))
      let changed = word & others | table[Int(word &>> shift & mask)] &<< shift
      place.storeBytes(of: order(changed), as: UInt16.self)
      place += step
    }
  }
}
