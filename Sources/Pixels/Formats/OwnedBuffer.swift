/// Zeroed memory of a fixed size that its owner frees.
///
/// The hot loops take `base` into a local constant: unlike an `Array` it is neither bounds-checked nor
/// reference-counted there, so every index is the duty of the code that sized the buffer.
struct OwnedBuffer<Element: BitwiseCopyable>: ~Copyable {
  let base: UnsafeMutablePointer<Element>
  let count: Int

  init(count: Int, zero: Element) {
    self.count = max(count, 1)
    base = .allocate(capacity: self.count)
    base.initialize(repeating: zero, count: self.count)
  }

  deinit { base.deallocate() }
}
