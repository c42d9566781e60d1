import Glibc

/// A prompt file that lets a model make one shot more each time that a test writes it: a pipe, which the model's thread reads
/// before each shot.
final class PromptGate {
  private let folder: Folder
  var path: String { folder.file("prompts") }

  init() throws {
    folder = try Folder()
    try write("A hare\n".utf8, to: path)
  }

  /// From the next shot on. The element must have read the file.
  func close() throws {
    unlink(path)
    guard mkfifo(path, 0o600) == 0 else { throw Failure("no pipe") }
  }

  /// Lets the shot begin that waits, and waits until it does.
  func open(_ prompt: String = "A hare") throws {
    var file: Int32 = -1
    // There is a reader when the model's thread is there.
    guard
      eventually(
        within: 30,
        {
          file = Glibc.open(path, O_WRONLY | O_NONBLOCK); return file >= 0
        })
    else { throw Failure("nobody reads") }
    _ = (prompt + "\n").withCString { Glibc.write(file, $0, strlen($0)) }
    Glibc.close(file)
  }

  /// Whoever reads goes on.
  deinit {
    let file = Glibc.open(path, O_RDWR | O_NONBLOCK)
    if file >= 0 { Glibc.close(file) }
  }
}
