import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One of a model's files, open: what reads it gets errors that name it.
///
/// Bytes are copied out of it as they are asked for. A mapping would save the copy, and end the process when somebody cuts the
/// file short or its disk goes away. Reading takes about as long (256 MiB of bfloat16 that the system has at hand: 0.27 s of a core to
/// 0.26), since a mapping costs a fault a page.
package final class ModelFile: TensorStorage {
  /// As the caller gave it.
  package let path: String
  private let file: RegularFile

  /// Bytes it had when it was opened, at least 1.
  package var size: Int { file.size }

  /// - Throws: when there is no such file, it cannot be read, is no regular file, is empty, or stands for a file that is not there.
  package init(path: String) throws(WeightsError) {
    do throws(RegularFile.Failure) { file = try RegularFile(path: path) } catch { throw WeightsError(error, path: path) }
    self.path = path
    guard size > 0 else { throw WeightsError(.malformed, path: path, "is empty") }
    guard size <= ForeignFile.longestPointer else { return }
    if let pointer = ForeignFile.pointer(try contents(atMost: size)) { throw WeightsError(.malformed, path: path, pointer) }
  }

  /// The file as it is.
  ///
  /// - Throws: also when it is longer than `most` bytes.
  package func contents(atMost most: Int) throws(WeightsError) -> [UInt8] {
    do throws(RegularFile.Failure) { return try file.contents(atMost: most) } catch { throw WeightsError(error, path: path) }
  }

  /// - Throws: also when the file was written to, or cut short, since it was opened.
  package func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(WeightsError) {
    do throws(RegularFile.Failure) { try file.read(at: offset, into: room) } catch { throw WeightsError(error, path: path) }
  }
}

extension WeightsError {
  init(_ failure: RegularFile.Failure, path: String) {
    switch failure {
    case .system(ENOENT): self.init(.notFound, path: path, Self.absence(path))
    case .system(ENOTDIR): self.init(.notFound, path: path, "does not exist: a part of its path is a file, not a folder")
    case .system, .kind: self.init(.unreadable, path: path, "\(failure)")
    case .changed: self.init(.unreadable, path: path, "\(failure): replace it by renaming another, never in place")
    case .tooLong: self.init(.malformed, path: path, "\(failure)")
    }
  }

  /// Folders of downloads are full of links, and what they lead to is sometimes gone.
  private static func absence(_ path: String) -> String {
    var target = [UInt8](repeating: 0, count: 1024)
    let count = target.withUnsafeMutableBytes { room in room.baseAddress.map { readlink(path, $0, room.count) } ?? -1 }
    guard count > 0 else { return "does not exist" }
    return "is a link to \"\(String(decoding: target.prefix(count), as: UTF8.self))\", which does not exist"
  }
}
