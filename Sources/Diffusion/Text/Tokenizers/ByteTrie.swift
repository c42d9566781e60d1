/// Byte strings with a number each, found from the front of a text in time linear in the longest of them.
///
/// Not a dictionary of `String`s: two of these are equal when they only look alike (é as one code point or as two), and a
/// tokenizer tells these apart.
struct ByteTrie: Sendable {
  /// Why keys make no trie.
  enum Flaw: Error, Hashable {
    case empty(value: Int)
    case tooLong(value: Int)
    case duplicate(value: Int, of: Int)
    case tooMany
  }

  /// Bounds what one position of a text costs.
  static let longestKey = 1024
  /// Bounds the trie's own memory: a node takes 12 bytes, and there is one a byte at most.
  static let totalBytes = 16 << 20

  private struct TrieNode {
    var firstChild: UInt32 = 0
    var value: Int32 = -1
    var childCount: UInt16 = 0
    var byte: UInt8 = 0
  }

  private var nodes = [TrieNode()]

  /// - Parameter keys: The values are from 0 to Int32.max.
  init(_ keys: [(bytes: [UInt8], value: Int)]) throws(Flaw) {
    var total = 0
    for key in keys {
      guard !key.bytes.isEmpty else { throw .empty(value: key.value) }
      guard key.bytes.count <= Self.longestKey else { throw .tooLong(value: key.value) }
      total += key.bytes.count
      guard total <= Self.totalBytes, 0...Int(Int32.max) ~= key.value else { throw .tooMany }
    }
    let keys = keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }

    // Breadth first, so that a node's children lie side by side: `spans` has, for each node, the keys that begin as it does.
    var spans = [(first: 0, end: keys.count, depth: 0)]
    var index = 0
    while index < nodes.count {
      var (key, end, depth) = spans[index]
      if key < end, keys[key].bytes.count == depth {
        nodes[index].value = Int32(keys[key].value)
        key += 1
        if key < end, keys[key].bytes.count == depth { throw .duplicate(value: keys[key].value, of: keys[key - 1].value) }
      }
      nodes[index].firstChild = UInt32(nodes.count)
      while key < end {
        let byte = keys[key].bytes[depth]
        let first = key
        while key < end, keys[key].bytes[depth] == byte { key += 1 }
        nodes.append(TrieNode(byte: byte))
        spans.append((first, key, depth + 1))
        nodes[index].childCount += 1
      }
      index += 1
    }
  }

  private func child(of node: Int, _ byte: UInt8) -> Int? {
    var low = Int(nodes[node].firstChild)
    let end = low + Int(nodes[node].childCount)
    var high = end
    while low < high {
      let middle = (low + high) / 2
      if nodes[middle].byte < byte { low = middle + 1 } else { high = middle }
    }
    return low < end && nodes[low].byte == byte ? low : nil
  }

  /// Calls `body` with the end and the value of each key that `bytes[range]` begins with, the shortest first.
  @inline(__always)
  func forEachPrefix(of bytes: [UInt8], in range: Range<Int>, _ body: (_ end: Int, _ value: Int) -> Void) {
    var node = 0
    for position in range {
      guard let next = child(of: node, bytes[position]) else { return }
      node = next
      if nodes[node].value >= 0 { body(position + 1, Int(nodes[node].value)) }
    }
  }

  /// The longest key that `bytes[range]` begins with.
  func longestPrefix(of bytes: [UInt8], in range: Range<Int>) -> (end: Int, value: Int)? {
    var longest: (end: Int, value: Int)?
    forEachPrefix(of: bytes, in: range) { longest = ($0, $1) }
    return longest
  }
}

/// The length of the character that begins with this byte, taken to be valid UTF-8.
func characterLength(_ byte: UInt8) -> Int {
  switch byte >> 4 {
  case 0xF: 4
  case 0xE: 3
  case 0xC, 0xD: 2
  default: 1
  }
}
