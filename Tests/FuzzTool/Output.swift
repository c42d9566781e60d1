import Glibc

/// Writes a line at once, wherever standard output leads.
func tell(_ line: String) { write(line + "\n", to: 1) }

/// The same to standard error.
func complain(_ text: String) { write(text + "\n", to: 2) }

private func write(_ text: String, to descriptor: Int32) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count > 0 else { return }
    bytes.removeFirst(count)
  }
}
