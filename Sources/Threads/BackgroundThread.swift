#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A thread of its own, for work that a streaming thread must not do: blocking files, inference.
///
/// SIGPIPE is blocked in it, so that a reader that goes away is an error (EPIPE) and not the end of the process.
package struct BackgroundThread: Sendable {
  private let id: pthread_t

  /// The system gave no thread, for this reason.
  package struct Failure: Error {
    /// The system's error number.
    package var code: Int32
  }

  private final class Body {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts the thread, which ends when `run` returns.
  package init(_ run: @escaping @Sendable () -> Void) throws(Failure) {
    #if canImport(Musl)
      var id: pthread_t?
    #else
      var id: pthread_t = 0
    #endif
    let body = Unmanaged.passRetained(Body(run: run))
    let code = pthread_create(
      &id, nil,
      { context in
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, nil)
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, body.toOpaque())
    guard code == 0 else {
      body.release()
      throw Failure(code: code)
    }
    #if canImport(Musl)
      guard let id else { throw Failure(code: EAGAIN) }
    #endif
    self.id = id
  }

  /// Waits for the thread's end. Once only, and not after ``detach()``.
  package func join() { pthread_join(id, nil) }

  /// Lets the thread go on alone.
  package func detach() { pthread_detach(id) }
}
