import TransNet

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs the network over the same frames again and again, as a stream of so many hours at 25 frames a second, and prints
/// resident memory at the start and after every hour.
func endure(_ predictor: any Predictor, _ frames: UnsafeBufferPointer<UInt8>, hours: Double) throws {
  guard let base = frames.baseAddress, frames.count >= 3888 else { return }
  let count = frames.count / 3888
  let hour = 90_000
  let total = Int(hours * Double(hour))
  // By then all buffers have been used, and the rings have gone round.
  let settled = min(1_000, total / 2)
  var predictions: [Prediction] = []
  var (done, position, next) = (0, 0, settled)
  let begun = seconds()
  while done < total {
    let pushed = min(predictor.bestCount, count - position, total - done)
    try predictor.push(base + position * 3888, count: pushed, into: &predictions)
    predictions.removeAll(keepingCapacity: true)
    done += pushed
    position = (position + pushed) % count
    if done >= next || done == total {
      let rate = Double(done) / (seconds() - begun)
      say("{\"hours\": \(Double(done) / Double(hour)), \"rss_mb\": \(residentMegabytes()), \"fps\": \((rate * 10).rounded() / 10)}\n")
      next = (done / hour + 1) * hour
    }
  }
}

/// Resident memory of this process; 0 where the system does not tell.
func residentMegabytes() -> Double {
  let file = open("/proc/self/statm", O_RDONLY)
  guard file >= 0 else { return 0 }
  defer { close(file) }
  var text = [UInt8](repeating: 0, count: 256)
  let length = read(file, &text, text.count)
  let fields = String(decoding: text[..<max(0, length)], as: UTF8.self).split(separator: " ")
  guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
  return Double(pages * Int(sysconf(Int32(_SC_PAGESIZE)))) / 1e6
}

/// Prints at once, for those who read through a pipe.
func say(_ text: String) {
  let bytes = Array(text.utf8)
  _ = write(1, bytes, bytes.count)
}
