import Shots
import Timing

/// One clip's file while it is written.
///
/// Frames, sound and formats are opaque to what decides of them. Used from one thread; what goes wrong is thrown by the
/// next call. Without ``finish(overwriting:as:)`` nothing is left behind.
public protocol ClipFile: SendableMetatype {
  /// An encoded frame.
  associatedtype Packet: Sendable
  /// A piece of raw sound.
  associatedtype Sound: Sendable
  /// How a stream is encoded or sampled. A clip has one of its picture and one of its sound.
  associatedtype Format: Equatable & Sendable

  /// Whether sound can be added: it was made with some, and the sound has not ended.
  var hasSound: Bool { get }

  /// Adds a frame that is shown at this running time, for so long; 0 if that is not known. May wait for the disk.
  func write(_ packet: Packet, at running: ClockTime, lasting duration: ClockTime) throws

  /// Adds sound that starts at this running time: as much of it as lies in `range`, cut to the sample.
  func write(sound: Sound, at running: ClockTime, in range: Range<ClockTime>) throws

  /// There is no more sound.
  func endSound()

  /// Waits until everything is in the file and on the disk, and gives it the first of its names that is free, or the
  /// first of all.
  ///
  /// - Parameter name: the name for each attempt, from 0.
  /// - Returns: the attempt whose name it has.
  func finish(overwriting: Bool, as name: (UInt64) -> String) throws -> UInt64
}

/// What a clip's file is made for.
public struct ClipBeginning<Format: Sendable>: Sendable {
  /// The name that it is meant to get.
  public var path: String
  /// Running time of its first frame, which becomes 0.
  public var start: ClockTime
  /// How its frames are encoded.
  public var picture: Format
  /// nil if the clip has no sound.
  public var sound: Format?
}

/// What a manifest says of a clip's frames.
public struct ClipPicture: Hashable, Sendable {
  /// Pixels.
  public var width: Int
  /// Pixels.
  public var height: Int
  /// nil if it varies.
  public var rate: FrameRate?

  /// Sizes in pixels; frames a second.
  public init(width: Int, height: Int, rate: FrameRate?) {
    self.width = width
    self.height = height
    self.rate = rate
  }
}

/// The streams that clips are made of.
public enum ClipStream: Sendable, CaseIterable { case picture, sound }

/// What streaming threads hand to the thread that writes clips.
public enum ClipItem<File: ClipFile>: Sendable {
  /// The frames that follow are encoded so.
  case pictureFormat(File.Format, ClipPicture)
  case picture(File.Packet, PacketTime)
  /// The sound that follows is sampled so.
  case soundFormat(File.Format)
  /// Raw sound that lasts from a running time to another.
  case sound(File.Sound, Range<ClockTime>)
  /// A boundary whose new shot begins at this running time.
  case mark(Boundary, at: ClockTime)
  /// The stream jumps: what was before does not go on.
  case jump(ClipStream)

  /// The stream that it is of, or concerns.
  public var stream: ClipStream {
    switch self {
    case .pictureFormat, .picture, .mark: .picture
    case .soundFormat, .sound: .sound
    case .jump(let stream): stream
    }
  }

  /// The running time that data reach; nil for what is no data.
  public var reached: ClockTime? {
    switch self {
    case .picture(_, let time): time.running
    case .sound(_, let range): range.upperBound
    case .pictureFormat, .soundFormat, .mark, .jump: nil
    }
  }
}
