import ShotLists

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What is done with clips that are complete, in order: each is checked, described and listed in a manifest.
///
/// What goes wrong with a description costs no more than the captions; anything else ends it all: nothing is done with
/// clips after it.
public struct ClipCatalog: Sendable {
  /// What became of a clip.
  public enum Outcome: Sendable {
    case listed(ClipRecord)
    /// The check did not keep it: its file is gone.
    case rejected
    /// Told once.
    case failed(any Error)
    /// Something failed before.
    case ignored
  }

  private let manifest: String?
  private let isKept: (@Sendable (String) throws -> Bool)?
  private let describe: (@Sendable ([FinishedClip.Scene], String) throws -> [String]?)?
  /// The shot that was described last, and how.
  private var described: (shot: UInt64, caption: String)?
  /// Failures that were told.
  private var told: Set<String> = []
  private var hasFailed = false

  /// - Parameters:
  ///   - manifest: the file that gets a line a clip; nil if none does.
  ///   - isKept: whether the file at a path is a clip to keep; nil if all are.
  ///   - describe: a caption of each scene of the file at a path; nil if there are none to be had. It throws what is to
  ///     be told.
  public init(
    manifest: String?, isKept: (@Sendable (String) throws -> Bool)? = nil,
    describe: (@Sendable ([FinishedClip.Scene], String) throws -> [String]?)? = nil
  ) {
    self.manifest = manifest
    self.isKept = isKept
    self.describe = describe
  }

  /// - Parameter warn: gets why there are no captions, once for each text.
  public mutating func take(_ clip: FinishedClip, warn: (any Error) -> Void) -> Outcome {
    if hasFailed { return .ignored }
    do {
      if let isKept, try !isKept(clip.record.path) {
        unlink(clip.record.path)
        return .rejected
      }
      var record = clip.record
      caption(&record, clip.scenes, warn)
      if let manifest { try LineFile(path: manifest).append(record.json) }
      return .listed(record)
    } catch {
      hasFailed = true
      return .failed(error)
    }
  }

  private mutating func caption(_ record: inout ClipRecord, _ scenes: [FinishedClip.Scene], _ warn: (any Error) -> Void) {
    do {
      guard let captions = try describe?(scenes, record.path) else { return }
      record.nextText = captions.last ?? ""
      if captions.count > 1 {
        record.previousText = captions[0]
      } else {
        if let described, described.shot &+ 1 == record.shot { record.previousText = described.caption }
        described = (record.shot, record.nextText)
      }
    } catch {
      // A command that fails does so for every clip.
      if told.insert("\(error)").inserted { warn(error) }
    }
  }
}
