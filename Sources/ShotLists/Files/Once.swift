import Synchronization

/// A value that one caller gets.
final class Once<Value: Sendable>: Sendable {
  private let value: Mutex<Value?>

  init(_ value: Value?) { self.value = Mutex(value) }

  func take() -> Value? {
    value.withLock { value in
      defer { value = nil }
      return value
    }
  }
}

/// Passes the first failure on and forgets the rest.
final class Reporter: Sendable {
  private let onError: Once<@Sendable (FileError) -> Void>

  init(_ onError: @escaping @Sendable (FileError) -> Void) { self.onError = Once(onError) }

  func report(_ error: FileError) { onError.take()?(error) }
}
