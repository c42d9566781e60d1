import Threads

/// A bounded queue between threads: offering never waits, taking waits for something to take.
///
/// Storage is reserved once; a lock is held only while elements are moved.
final class Mailbox<Element: Sendable>: Sendable {
  private struct Content {
    var elements: [Element] = []
    var isShut = false
  }

  private let capacity: Int
  private let content: Monitor<Content>

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    var empty = Content()
    empty.elements.reserveCapacity(self.capacity)
    content = Monitor(empty)
  }

  /// Whether there was room. After ``shut()`` nothing is taken and the answer is still yes.
  func offer(_ element: Element) -> Bool {
    content.change { content in
      if content.isShut { return true }
      guard content.elements.count < capacity else { return false }
      content.elements.append(element)
      return true
    }
  }

  /// No more elements; what is there can still be taken.
  func shut() { content.change { $0.isShut = true } }

  var isClosing: Bool { content.wait { .some($0.isShut) } }

  /// Waits until there are elements and moves them all into `batch`, which is emptied before. False when there are
  /// none and never will be.
  func take(into batch: inout [Element]) -> Bool {
    batch.removeAll(keepingCapacity: true)
    return content.wait { content in
      guard !content.elements.isEmpty || content.isShut else { return nil }
      swap(&batch, &content.elements)
      content.elements.reserveCapacity(capacity)
      return !batch.isEmpty
    }
  }
}
